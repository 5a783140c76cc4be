// Business time as the server tells it, and how a person reads and writes it.

const WEEK = ["周日", "周一", "周二", "周三", "周四", "周五", "周六"];
const MINUTE = 60_000;
const DAY = 86_400_000;
const pad = (n) => String(n).padStart(2, "0");

const read = { at: Date.now(), since: Date.now(), offset: 8 * 60, speed: 1, known: false };

// `moved` says the clock was set: two readings around a leap tell nothing about its speed.
export function setClock(iso, moved) {
  const at = Date.parse(iso);
  const wall = Date.now();
  if (!moved && read.known && wall - read.since > 5000) {
    const speed = (at - read.at) / (wall - read.since);
    if (speed >= 0 && speed < 10_000) read.speed = speed;
  }
  const zone = /([+-])(\d\d):(\d\d)$/.exec(iso);
  if (zone) read.offset = (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]));
  Object.assign(read, { at, since: wall, known: true });
}

export const now = () => read.at + (Date.now() - read.since) * read.speed;

function local(at) {
  const moved = new Date((typeof at === "number" ? at : Date.parse(at)) + read.offset * MINUTE);
  return {
    year: moved.getUTCFullYear(),
    month: moved.getUTCMonth() + 1,
    day: moved.getUTCDate(),
    week: moved.getUTCDay(),
    hour: moved.getUTCHours(),
    minute: moved.getUTCMinutes(),
    number: Math.floor(moved.getTime() / DAY),
  };
}

export const dayNumber = (at) => local(at).number;
export const clockOf = (at) => {
  const t = local(at);
  return `${pad(t.hour)}:${pad(t.minute)}`;
};

function nearDay(t) {
  const gap = t.number - dayNumber(now());
  if (gap === 0) return "今天";
  if (gap === -1) return "昨天";
  if (gap === 1) return "明天";
  return "";
}

export function dayLine(at) {
  const t = local(at);
  const year = t.year === local(now()).year ? "" : `${t.year}年`;
  return `${nearDay(t)} ${year}${t.month}月${t.day}日 ${WEEK[t.week]}`.trim();
}

export function moment(at) {
  const t = local(at);
  const gap = dayNumber(now()) - t.number;
  const day = nearDay(t) || (gap > 0 && gap < 6 ? WEEK[t.week] : `${t.month}月${t.day}日`);
  return `${day} ${clockOf(at)}`;
}

// In a list there is room for one word: the time today, the day before that.
export function brief(at) {
  const t = local(at);
  const gap = dayNumber(now()) - t.number;
  if (gap === 0) return clockOf(at);
  return nearDay(t) || (gap > 0 && gap < 6 ? WEEK[t.week] : `${t.month}月${t.day}日`);
}

export function full(at) {
  const t = local(at);
  return `${t.year}年${t.month}月${t.day}日 ${WEEK[t.week]} ${clockOf(at)}`;
}

const ISO = (t, hour, minute) => {
  const sign = read.offset < 0 ? "-" : "+";
  const zone = `${sign}${pad(Math.floor(Math.abs(read.offset) / 60))}:${pad(Math.abs(read.offset) % 60)}`;
  return `${t.year}-${pad(t.month)}-${pad(t.day)}T${pad(hour)}:${pad(minute)}:00${zone}`;
};

// What a person types for a time: 8:30, 明天 8:30, 周五 14:00, 11-25 8:30, 2026-11-25 8:30. Null when unclear.
export function parse(text) {
  const clean = text.trim().replace(/：/g, ":").replace(/[年月/.]/g, "-").replace(/[日号]/g, " ");
  const found = /^(.*?)\s*(\d{1,2}):(\d{2})$/.exec(clean);
  if (!found) return null;
  const [hour, minute] = [Number(found[2]), Number(found[3])];
  if (hour > 23 || minute > 59) return null;
  const word = found[1].trim();
  const today = local(now());
  const plus = (days) => local(now() + days * DAY);
  const near = { "": 0, 今天: 0, 明天: 1, 后天: 2 }[word];
  if (near !== undefined) return ISO(plus(near), hour, minute);
  const week = /^(?:周|星期)([日天一二三四五六])$/.exec(word);
  if (week) {
    const wanted = "日一二三四五六".indexOf(week[1].replace("天", "日"));
    return ISO(plus((wanted - today.week + 7) % 7), hour, minute);
  }
  const date = /^(?:(\d{4})-)?(\d{1,2})-(\d{1,2})$/.exec(word);
  if (!date) return null;
  const [year, month, day] = [Number(date[1] || today.year), Number(date[2]), Number(date[3])];
  const real = new Date(Date.UTC(year, month - 1, day));
  if (real.getUTCMonth() !== month - 1 || real.getUTCDate() !== day) return null;
  return ISO({ year, month, day }, hour, minute);
}

export const hereAndNow = () => {
  const t = local(now());
  return { day: `${t.month}月${t.day}日 ${WEEK[t.week]}`, time: clockOf(now()) };
};
