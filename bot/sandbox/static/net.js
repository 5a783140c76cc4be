// The JSON API of the sandbox; every failure is an Error whose message a person can read.

export async function call(path, body = undefined) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(`/sandbox/api/${path}`, options);
  } catch {
    throw new Error("没有连上服务，内容还在，请稍后再发一次。");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok || answer === null) {
    throw new Error(answer?.error?.message || "没有成功，内容还在，请再试一次。");
  }
  return answer;
}

export const query = (path, values) => `${path}?${new URLSearchParams(values)}`;

// crypto.randomUUID exists only in secure contexts; an office may open the page by its plain address.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
