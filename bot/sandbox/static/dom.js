// Making nodes. Text is always text: nothing here or elsewhere turns words into markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, className = "", text = undefined) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

export function button(label, className, onclick) {
  const node = make("button", className, label);
  node.type = "button";
  node.onclick = onclick;
  return node;
}

// Only addresses of the web: a card's link is written by others.
export function link(label, href) {
  let url;
  try {
    url = new URL(href, location.href);
  } catch {
    return make("span", "", label);
  }
  if (!["http:", "https:"].includes(url.protocol)) return make("span", "", label);
  const node = make("a", "", label);
  node.href = url.href;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}

const FOUND = /(https?:\/\/[^\s，。；、）」]+|@[^\s@，。：:、；！？]{1,20})/g;

export function words(text, names = []) {
  const line = document.createDocumentFragment();
  for (const part of text.split(FOUND)) {
    if (/^https?:\/\//.test(part)) line.append(link(part, part));
    else if (part.startsWith("@") && names.includes(part.slice(1))) line.append(make("span", "at", part));
    else if (part) line.append(part);
  }
  return line;
}

export function face(person) {
  if (person.is_bot) {
    const sign = make("img", "face");
    sign.src = "icon.svg";
    sign.alt = "";
    return sign;
  }
  const node = make("span", "face", shortName(person.name));
  node.setAttribute("aria-hidden", "true");
  return node;
}

function shortName(name) {
  if (name.includes("-")) return name.slice(0, 2);
  const bare = name.replace(/^(联络员|网格长|网格员|办公室)/, "");
  return (bare || name).slice(0, 2);
}

export const onPhone = () => matchMedia("(max-width: 640px)").matches;
export const isNarrow = () => matchMedia("(max-width: 1080px)").matches;
export const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
