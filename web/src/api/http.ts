/** Requests to `/api/v1`, with the CSRF token on writes and problem+json turned into one kind of error. */

const ROOT = new URL("api/v1/", document.baseURI);
let csrf: string | null = null;

/** What the twin said no to, in its own words, with what to do about it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }

  /** The refusal as one sentence a person can act on. */
  get words(): string {
    if (!this.remedy) return this.message;
    return `${this.message}${/[.!?:;]$/.test(this.message) ? "" : ":"} ${this.remedy}`;
  }

  /** Whether the same may be answered soon: the twin is away, starts, or is asked too much. */
  get passing(): boolean {
    return [0, 429, 502, 503, 504].includes(this.status);
  }
}

/** Says an error in words, whatever it is. */
export function words(error: unknown): string {
  if (error instanceof Problem) return error.words;
  return error instanceof Error ? error.message : String(error);
}

export function useToken(token: string | null): void {
  csrf = token;
}

export function address(path: string, query: Record<string, string | number | undefined> = {}): string {
  const url = new URL(path, ROOT);
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") url.searchParams.set(key, String(value));
  }
  return url.toString();
}

async function problem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Record<string, string>;
    const message = body.detail ?? body.title ?? response.statusText;
    return new Problem(response.status, body.code ?? "", message, body.remedy ?? "");
  } catch {
    return new Problem(response.status, "", `The twin answered ${response.status}.`, "");
  }
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem(0, "link", "The twin cannot be reached.", "It is asked again when the link returns.");
  }
  if (!response.ok) throw await problem(response);
  return response;
}

export async function get<T>(
  path: string,
  query: Record<string, string | number | undefined> = {},
  signal?: AbortSignal,
): Promise<T> {
  return (await ask(address(path, query), { signal: signal ?? null })).json() as Promise<T>;
}

export async function send<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await ask(address(path), init);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** A path of the namespace as it stands in an address: slashes stay, the rest is escaped. */
export function escapePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
