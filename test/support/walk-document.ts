/** A fenced block of a Markdown document. */
export interface CodeBlock {
  language: string;
  text: string;
}

/** The fenced blocks of the section under a heading of the second level, in their order. */
export function codeBlocksOf(markdown: string, heading: string): CodeBlock[] {
  const start = markdown.indexOf(`\n## ${heading}\n`);
  if (start < 0) throw new Error(`the document has no section "${heading}"`);
  const end = markdown.indexOf('\n## ', start + 1);
  const section = markdown.slice(start, end < 0 ? undefined : end);
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}
