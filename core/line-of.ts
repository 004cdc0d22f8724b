import { LineCounter, isNode, parseDocument, type Document } from 'yaml';

/** Keys and indexes from the top of a JSON or YAML document to one of its values. */
export type DocumentPath = readonly (string | number)[];

/** Tells on which line of a JSON or YAML text a value stands. */
export interface LineFinder {
  /** Line, from 1, of the value, or of the nearest value around it that is there. */
  lineOf(path: DocumentPath): number;
}

/** Reads the text once. JSON is read as YAML, which it nearly is; of broken text, the part that can be read. */
export function createLineFinder(text: string): LineFinder {
  const lines = new LineCounter();
  let document: Document | undefined;
  return {
    lineOf: (path) => {
      document ??= parseDocument(text, { lineCounter: lines, logLevel: 'silent' });
      for (let length = path.length; length > 0; length -= 1) {
        const node = document.getIn(path.slice(0, length), true);
        if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
      }
      return 1;
    },
  };
}

/** `fields[3].type` as `['fields', 3, 'type']`: the opposite of `dottedPath`, for keys without dots. */
export function parseDottedPath(path: string): DocumentPath {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key = '']) =>
    index === undefined ? key : Number(index),
  );
}
