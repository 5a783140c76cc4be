// Who one is: four quick chips and a searchable, grouped list.
import { $, button, face, make } from "./dom.js";
import { QUICK, ROLE_NAMES, ROLES } from "./words.js";

const short = (person) => person.name.split("-").pop().replace(/^(联络员|办公室)(?=.)/, "");

export class People {
  // `on` = { become(id) }
  constructor(on) {
    this.on = on;
    this.all = [];
    this.byId = new Map();
    this.news = new Set();
    this.me = "";
    this.options = [];
    this.picked = 0;
    $("who").onclick = () => (this.isOpen() ? this.close(true) : this.open());
    $("person").oninput = () => this.drawList();
    $("person").onkeydown = (event) => this.key(event);
    document.addEventListener("pointerdown", (event) => {
      if (this.isOpen() && !event.target.closest(".who")) this.close(false);
    });
    $("picker").addEventListener("focusout", (event) => {
      if (event.relatedTarget && !event.relatedTarget.closest(".who")) this.close(false);
    });
    document.addEventListener("keydown", (event) => this.shortcut(event));
  }

  load(all) {
    this.all = all;
    this.byId = new Map(all.map((person) => [person.id, person]));
  }

  become(id) {
    this.me = id;
    this.news.delete(id);
    this.draw();
  }

  tell(id, has) {
    if (this.news.has(id) === has) return;
    if (has) this.news.add(id);
    else this.news.delete(id);
    this.draw();
  }

  quick() {
    return QUICK.filter(([id]) => this.byId.has(id));
  }

  draw() {
    for (const place of ["quick", "quick-list"]) {
      const held = $(place).contains(document.activeElement) ? document.activeElement.dataset.id : "";
      $(place).replaceChildren(...this.quick().map(([id, role], n) => {
        const person = this.byId.get(id);
        const chip = button("", "quick-chip", () => this.on.become(id));
        chip.dataset.id = id;
        chip.append(make("small", "", role), make("span", "", short(person)));
        chip.title = `${person.name}（按住 Alt 再按 ${n + 1}）`;
        chip.setAttribute("aria-pressed", String(id === this.me));
        if (this.news.has(id)) {
          const dot = make("i", "dot");
          dot.append(make("span", "unseen", "，有新消息"));
          chip.append(dot);
        }
        return chip;
      }));
      if (held) $(place).querySelector(`[data-id="${CSS.escape(held)}"]`)?.focus();
    }
    const me = this.byId.get(this.me);
    if (!me) return;
    const name = make("span", "who-name", me.name);
    $("who").replaceChildren(face(me), name, make("span", "who-role", ROLE_NAMES[me.role] || ""), make("span", "down"));
    if (this.news.size) $("who").append(make("i", "dot"));
    $("who").setAttribute("aria-label", `现在是${me.name}，${ROLE_NAMES[me.role] || ""}。切换身份`);
  }

  isOpen() {
    return !$("picker").hidden;
  }

  open() {
    $("picker").hidden = false;
    $("who").setAttribute("aria-expanded", "true");
    $("person").value = "";
    this.drawList();
    $("person").focus();
  }

  close(back) {
    $("picker").hidden = true;
    $("who").setAttribute("aria-expanded", "false");
    if (back) $("who").focus();
  }

  drawList() {
    const wanted = $("person").value.trim().toLowerCase();
    const fits = (person) => !wanted || `${person.name} ${person.id} ${ROLE_NAMES[person.role] || ""}`.toLowerCase().includes(wanted);
    this.options = [];
    const groups = [];
    for (const [title, roles] of ROLES) {
      const people = this.all.filter((person) => roles.includes(person.role) && fits(person));
      if (!people.length) continue;
      const group = make("div", "group");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", title);
      group.append(make("div", "group-title", title));
      for (const person of people) group.append(this.option(person));
      groups.push(group);
    }
    if (!groups.length) groups.push(make("p", "nobody", "没有找到。换个姓名、企业简称或编号试试。"));
    $("people").replaceChildren(...groups);
    const mine = wanted ? -1 : this.options.findIndex((option) => option.dataset.id === this.me);
    if (this.options.length) this.choose(Math.max(0, mine));
  }

  option(person) {
    const option = make("div", "option");
    option.id = `person-${this.options.length}`;
    option.dataset.id = person.id;
    option.setAttribute("role", "option");
    option.append(make("span", "", person.name), make("small", "", person.id));
    if (person.id === this.me) option.append(make("small", "now", "现在"));
    option.onclick = () => {
      this.close(true);
      this.on.become(person.id);
    };
    this.options.push(option);
    return option;
  }

  choose(n) {
    this.picked = n;
    this.options.forEach((option, at) => option.setAttribute("aria-selected", String(at === n)));
    this.options[n].scrollIntoView({ block: "nearest" });
    $("person").setAttribute("aria-activedescendant", this.options[n].id);
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const count = this.options.length;
    const step = { ArrowDown: 1, ArrowUp: count - 1 }[event.key];
    if (event.key === "Escape") this.close(true);
    else if (!count) return;
    else if (step !== undefined) this.choose((this.picked + step) % count);
    else if (event.key === "Enter") this.options[this.picked].click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  shortcut(event) {
    const number = /^Digit([1-4])$/.exec(event.code)?.[1];
    if (!event.altKey || event.ctrlKey || event.metaKey || !number) return;
    const one = this.quick()[number - 1];
    if (!one) return;
    event.preventDefault();
    this.on.become(one[0]);
  }
}
