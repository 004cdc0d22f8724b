/* global document */
/** The few things every part of the page does to the document. Text is only ever set as text. */

export const byId = (id) => document.getElementById(id);

/** A copy of a template, and its elements by their `data-part`. */
export function instantiate(id) {
  const root = byId(id).content.firstElementChild.cloneNode(true);
  const parts = {};
  for (const element of root.querySelectorAll('[data-part]')) parts[element.dataset.part] = element;
  return { root, parts };
}

/** Touches the document only when something has changed: a selection, and a reader's place, stay. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}

export function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Makes `parent` hold one child for each item, in this order; children of the same key are kept. */
export function keyed(parent, views, items, keyOf, create) {
  const current = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    current.add(key);
    let view = views.get(key);
    if (view === undefined) views.set(key, (view = create(item)));
    if (view.root === place) place = place.nextElementSibling;
    else parent.insertBefore(view.root, place);
  }
  for (const [key, view] of views) {
    if (current.has(key)) continue;
    view.root.remove();
    views.delete(key);
  }
}
