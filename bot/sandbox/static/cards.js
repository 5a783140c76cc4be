// The neutral card, drawn: tone, title, one sentence, rows, small print, at most four buttons.
import { button, link, make } from "./dom.js";
import { CHIPS } from "./words.js";

export function chip(status, tone) {
  const overdue = status.includes("超期");
  const [colour, form] = overdue ? ["urgent", "fill"] : CHIPS[status] || [tone, "line"];
  const node = make("span", `chip ${form}`, status);
  node.dataset.tone = colour;
  return node;
}

// `note` is what this card last said to the person who pressed: {text, bad} or null.
export function drawCard(card, note, press) {
  const box = make("section", "card");
  box.dataset.tone = card.tone;
  box.setAttribute("aria-label", card.status ? `${card.title}，${card.status}` : card.title);
  const head = make("header");
  const title = make("h2");
  title.append(card.href ? link(card.title, card.href) : card.title);
  head.append(title);
  if (card.status) head.append(chip(card.status, card.tone));
  box.append(head, make("p", "lead", card.lead));
  if (card.rows.length) {
    const list = make("dl");
    for (const row of card.rows) {
      const value = make("dd");
      value.append(row.href ? link(row.value, row.href) : row.value);
      list.append(make("dt", "", row.label), value);
    }
    box.append(list);
  }
  const choice = card.choice && drawChoice(card);
  if (choice) box.append(choice);
  const fault = make("p", "fault");
  fault.setAttribute("role", "alert");
  fault.hidden = true;
  const complain = (text) => {
    fault.textContent = text;
    fault.hidden = !text;
  };
  if (card.buttons.length) box.append(drawButtons(card, choice, press, complain));
  box.append(fault);
  if (note) {
    if (note.bad) complain(note.text);
    else {
      const said = make("p", "said", note.text);
      said.setAttribute("role", "status");
      box.append(said);
    }
  }
  if (card.note) box.append(make("p", "note", card.note));
  return box;
}

function drawChoice(card) {
  const group = make("fieldset", "choice");
  group.append(make("legend", "", card.choice.prompt));
  for (const option of card.choice.options) {
    const label = make("label");
    const input = make("input");
    input.type = card.choice.many ? "checkbox" : "radio";
    input.name = `${card.key}:${card.choice.name}`;
    input.value = option.id;
    label.append(input, make("span", "", option.text));
    group.append(label);
  }
  return group;
}

function drawButtons(card, choice, press, complain) {
  const bar = make("div", "actions");
  const plain = () => bar.replaceChildren(...card.buttons.map((one) => (one.url ? opener(one) : presser(one))));
  const opener = (one) => {
    const node = link(one.label, one.url);
    node.classList.add("button", one.style);
    return node;
  };
  const run = async (one) => {
    const picked = one.submits && choice ? [...choice.querySelectorAll("input:checked")].map((i) => i.value) : [];
    if (one.submits && choice && !picked.length) {
      complain("请先选一项，再按这个按钮。");
      choice.querySelector("input").focus();
      return;
    }
    complain("");
    for (const node of bar.children) node.disabled = true;
    bar.setAttribute("aria-busy", "true");
    await press(one.id, picked);
  };
  const presser = (one) => {
    const node = button(one.label, one.style, () => (one.confirm ? ask(one) : run(one)));
    node.dataset.label = one.label;
    return node;
  };
  const ask = (one) => {
    const yes = button("确定", one.style === "danger" ? "danger" : "main", () => run(one));
    bar.replaceChildren(make("p", "confirm", one.confirm), yes, button("不了", "plain", () => {
      plain();
      bar.querySelector("button")?.focus();
    }));
    yes.focus();
  };
  plain();
  return bar;
}
