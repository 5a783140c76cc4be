// The writing place: text, @-suggestions, a quote, pictures; what was typed is never lost.
import { $, button, make } from "./dom.js";
import { newId } from "./net.js";

const PICTURE_CHARS = 300_000;
const ALL_CHARS = 900_000;
const MOST_PICTURES = 9;
const KEPT = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const bare = () => ({ text: "", quote: null, pictures: [], id: "", fault: "" });

export class Composer {
  // `on` = { people(), bot(), send(body) → Promise }
  constructor(on) {
    this.on = on;
    this.box = $("text");
    this.list = $("mentions");
    this.drafts = new Map();
    this.draft = bare();
    this.sending = null;
    this.picked = 0;
    $("write").onsubmit = (event) => {
      event.preventDefault();
      this.send();
    };
    this.box.oninput = () => {
      this.draft.text = this.box.value;
      this.draft.id = "";
      this.grow();
      this.suggest();
    };
    this.box.onclick = () => this.suggest();
    this.box.onblur = () => setTimeout(() => this.closeList(), 150);
    this.box.onkeydown = (event) => this.press(event);
    this.box.onpaste = (event) => this.paste(event);
    $("write").ondragover = (event) => event.preventDefault();
    $("write").ondrop = (event) => {
      event.preventDefault();
      this.take(event.dataTransfer.files);
    };
    $("file").onchange = () => {
      this.take($("file").files);
      $("file").value = "";
    };
    $("at").onclick = () => {
      const at = this.box.selectionStart;
      const gap = at && !/\s/.test(this.box.value[at - 1]) ? " @" : "@";
      this.insert(at, at, gap);
      this.suggest();
    };
  }

  // Each identity keeps its own half-written message in each chat.
  turn(key) {
    if (!this.drafts.has(key)) this.drafts.set(key, bare());
    this.draft = this.drafts.get(key);
    this.box.value = this.draft.text;
    this.fault(this.draft.fault);
    this.closeList();
    this.grow();
    this.drawExtras();
  }

  fill(text) {
    this.draft.text = text;
    this.draft.id = "";
    this.box.value = text;
    this.grow();
    this.box.focus();
    this.box.setSelectionRange(text.length, text.length);
  }

  quote(item) {
    this.draft.quote = item;
    this.draft.id = "";
    this.drawExtras();
    this.box.focus();
  }

  fault(text) {
    $("fault").textContent = text;
    $("fault").hidden = !text;
  }

  grow() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight + 2, 168)}px`;
  }

  drawExtras() {
    const { quote, pictures } = this.draft;
    $("quoted").hidden = !quote;
    if (quote) {
      const said = quote.card ? `${quote.card.title} ${quote.card.lead}` : quote.text || "［图片］";
      const drop = button("取消引用", "ghost small-button", () => this.quote(null));
      $("quoted").replaceChildren(make("span", "", `${quote.sender.name}：${said}`), drop);
    }
    $("pictures").hidden = !pictures.length;
    $("pictures").replaceChildren(...pictures.map((picture, n) => {
      const thumb = make("figure");
      const image = make("img");
      image.src = picture.url;
      image.alt = picture.name || "图片";
      const drop = button("×", "drop", () => {
        pictures.splice(n, 1);
        this.draft.id = "";
        this.drawExtras();
        this.box.focus();
      });
      drop.setAttribute("aria-label", `去掉图片 ${picture.name || ""}`.trim());
      thumb.append(image, drop);
      return thumb;
    }));
  }

  async send() {
    const draft = this.draft;
    if (this.sending) return;
    if (!draft.text.trim() && !draft.pictures.length) {
      this.box.focus();
      return;
    }
    this.fault("");
    this.closeList();
    draft.id ||= newId();
    draft.fault = "";
    const sent = { draft, text: draft.text, done: false };
    this.sending = sent;
    $("send").setAttribute("aria-disabled", "true");
    try {
      await this.on.send({
        text: draft.text,
        mention_bot: draft.text.includes(`@${this.on.bot()}`),
        reply_to: draft.quote?.id ?? null,
        attachments: draft.pictures,
        client_id: draft.id,
      });
      this.sent(sent);
    } catch (error) {
      draft.fault = error.message;
      if (this.draft === draft) this.fault(error.message);
    } finally {
      this.sending = null;
      $("send").removeAttribute("aria-disabled");
    }
  }

  // The message may come back over the live line before its answer: then it is already sent.
  echo(item) {
    if (this.sending && !this.sending.done && item.text === this.sending.text) this.sent(this.sending);
  }

  sent(one) {
    if (one.done) return;
    one.done = true;
    const { draft } = one;
    draft.text = draft.text === one.text ? "" : draft.text.startsWith(one.text) ? draft.text.slice(one.text.length) : draft.text;
    draft.quote = null;
    draft.pictures = [];
    draft.id = "";
    if (this.draft !== draft) return;
    this.box.value = draft.text;
    this.grow();
    this.drawExtras();
  }

  press(event) {
    // 229 is what older engines report while an input method still composes.
    if (event.isComposing || event.keyCode === 229) return;
    if (!this.list.hidden) {
      const count = this.list.children.length;
      const step = { ArrowDown: 1, ArrowUp: count - 1 }[event.key];
      if (step !== undefined) this.choose((this.picked + step) % count);
      else if (event.key === "Enter" || event.key === "Tab") this.list.children[this.picked].click();
      else if (event.key === "Escape") this.closeList();
      else return;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === "Escape" && this.draft.quote) this.quote(null);
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  suggest() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    const found = /(?:^|[^\w])@([^\s@]{0,12})$/.exec(before);
    const bot = this.on.bot();
    const all = [{ name: bot, role: "机器人" }, ...this.on.people()];
    const names = found ? all.filter((one) => one.name.includes(found[1])).slice(0, 8) : [];
    if (!names.length) {
      this.closeList();
      return;
    }
    this.list.replaceChildren(...names.map((one, n) => {
      const option = make("li");
      option.id = `mention-${n}`;
      option.setAttribute("role", "option");
      option.append(make("span", "", one.name), make("small", "", one.role));
      option.onpointerdown = (event) => event.preventDefault();
      option.onclick = () => {
        this.insert(before.length - found[1].length, before.length, `${one.name} `);
        this.closeList();
      };
      return option;
    }));
    this.list.hidden = false;
    this.choose(0);
  }

  choose(n) {
    this.picked = n;
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === n)));
    this.list.children[n].scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", `mention-${n}`);
  }

  closeList() {
    this.list.hidden = true;
    this.box.removeAttribute("aria-activedescendant");
  }

  insert(from, to, text) {
    const { value } = this.box;
    this.fill(value.slice(0, from) + text + value.slice(to));
    this.box.setSelectionRange(from + text.length, from + text.length);
  }

  paste(event) {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    this.take(event.clipboardData.files);
  }

  async take(files) {
    const draft = this.draft;
    this.fault("");
    for (const file of files) {
      if (!file.type.startsWith("image/")) {
        this.fault("只能发图片，请换一个文件。");
        continue;
      }
      if (draft.pictures.length >= MOST_PICTURES) {
        this.fault(`一次最多发 ${MOST_PICTURES} 张图片，其余请下一条再发。`);
        break;
      }
      try {
        const url = await asDataUrl(file);
        const all = draft.pictures.reduce((sum, one) => sum + one.url.length, url.length);
        if (all > ALL_CHARS) {
          this.fault("图片加起来太大，请分两条发。");
          break;
        }
        draft.pictures.push({ type: "image", name: file.name || "图片", url });
        draft.id = "";
      } catch {
        this.fault("这张图片打不开，请换一张。");
      }
    }
    if (draft === this.draft) this.drawExtras();
    this.box.focus();
  }
}

const read = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

// Phone photos are large; what the chat needs is legible, not original.
async function asDataUrl(file) {
  if (KEPT.includes(file.type) && file.size * 1.4 < PICTURE_CHARS) return read(file);
  const bitmap = await createImageBitmap(file);
  for (const longest of [1600, 1200, 900, 600]) {
    const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const url = canvas.toDataURL("image/jpeg", 0.8);
    if (url.length < PICTURE_CHARS) return url;
  }
  throw new Error("too large");
}
