// The service: requests with the token, and the stream of events.

/** Longer than the 15 s between two signs of life of a stream that has nothing to say. */
const SILENCE = 30000;
const PAUSES = [500, 1000, 2000, 4000, 8000, 15000];
/** For a request that changes something. */
const PATIENCE = 10000;
const KEY = "smart-meter-token";

let token = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);

export function useToken(text, remember) {
  token = text;
  sessionStorage.setItem(KEY, text);
  if (remember) localStorage.setItem(KEY, text);
}

export function forgetToken() {
  token = null;
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

export const hasToken = () => token !== null;

const headers = () => (token === null ? {} : { Authorization: `Bearer ${token}` });

/** The JSON of an answer; throws what is wrong, in words for a person. */
export const get = (path, signal) => ask(path, { signal });

/** As `get`, of a request that changes something. */
export const post = (path) => ask(path, { method: "POST", signal: AbortSignal.timeout(PATIENCE) });

async function ask(path, options) {
  const answer = await fetch(path, { ...options, headers: headers() }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Error(error.name === "TimeoutError" ? "The service does not answer." : "The service cannot be reached.");
  });
  if (answer.ok) return answer.json();
  if (answer.status === 401) throw new Error("The service wants another token: load this page again to give it.");
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail || `The service answers ${answer.status}.`);
}

/**
 * Reads the stream for as long as the page is open, and connects again whenever it ends.
 * `show.event(type, data)`, `show.live()`, `show.lost(why, pause)`, `show.refused()`: the token is missing or wrong.
 */
export class Events {
  constructor(show) {
    this.show = show;
    this.failures = 0;
    addEventListener("online", () => this.again());
    // A page that is left may be kept by the browser as it is, with its connection: of those there are six for a host.
    addEventListener("pagehide", () => this.end());
    // A page that was frozen reads late what was said meanwhile, the time among it.
    document.addEventListener("resume", () => this.again());
    addEventListener("pageshow", (event) => event.persisted && this.again());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.pause) this.again();
    });
  }

  /** Now, not after the pause. */
  again() {
    this.end();
    this.read();
  }

  end() {
    clearTimeout(this.pause);
    clearTimeout(this.silence);
    this.pause = null;
    const connection = this.connection;
    this.connection = null;
    connection?.abort();
  }

  async read() {
    const connection = new AbortController();
    this.connection = connection;
    this.watch(connection);
    let why = "the service has ended the connection";
    try {
      const answer = await fetch("/api/v1/events", { headers: headers(), signal: connection.signal, cache: "no-store" });
      if (answer.status === 401) {
        clearTimeout(this.silence);
        return this.show.refused();
      }
      if (answer.status === 503) throw new Error("too many pages are open on the service, or it is starting");
      if (!answer.ok) throw new Error(`the service answers ${answer.status}`);
      await this.follow(answer.body, connection);
    } catch (error) {
      why = error instanceof TypeError ? "the service cannot be reached" : error.message;
    }
    if (connection !== this.connection) return;
    clearTimeout(this.silence);
    const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)] * (0.75 + Math.random() / 2);
    this.failures += 1;
    this.pause = setTimeout(() => this.again(), pause);
    this.show.lost(why, pause);
  }

  async follow(body, connection) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done || connection !== this.connection) return;
      this.watch(connection);
      text += value;
      const events = text.split("\n\n");
      text = events.pop();
      for (const event of events) {
        const [type, data] = [field(event, "event: "), field(event, "data: ")];
        if (type === undefined || data === undefined) continue;
        if (type === "snapshot") {
          this.failures = 0;
          this.show.live();
        }
        this.show.event(type, JSON.parse(data));
      }
    }
  }

  watch(connection) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => connection.abort(new Error("the service is silent")), SILENCE);
  }
}

/** What a line of an event says. Lines end with a line feed and with nothing else that may stand in a name. */
function field(event, name) {
  return event.split("\n").find((line) => line.startsWith(name))?.slice(name.length);
}
