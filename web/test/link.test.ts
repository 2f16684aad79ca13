import { describe, expect, it } from "vitest";

import { backoff, judge, SILENCE_MS } from "../src/live/link";

const heard = { open: true, lastMessage: 1000, started: 0, twin: { up: true, ageS: 0, at: 1000 } };

describe("the link", () => {
  it("is up while messages come", () => {
    expect(judge(heard, 1000 + SILENCE_MS - 1).state).toBe("up");
  });

  it("is lost within two seconds of silence, and says for how long", () => {
    expect(SILENCE_MS).toBeLessThan(2000);
    expect(judge(heard, 1000 + SILENCE_MS + 1)).toMatchObject({ state: "lost", what: "page" });
    expect(judge(heard, 6000).ageS).toBe(5);
  });

  it("is lost at once when the socket closes", () => {
    expect(judge({ ...heard, open: false }, 1010)).toMatchObject({ state: "lost", what: "page" });
  });

  it("tells a silent twin from a silent server", () => {
    const twin = { up: false, ageS: 3, at: 1000 };
    expect(judge({ ...heard, twin }, 1500)).toEqual({ state: "lost", what: "twin", ageS: 3.5 });
  });

  it("is connecting until it should have been there", () => {
    const fresh = { ...heard, lastMessage: null, open: false };
    expect(judge(fresh, 500).state).toBe("connecting");
    expect(judge(fresh, 2500).state).toBe("lost");
  });

  it("is tried again soon and never slower than every two seconds", () => {
    expect([0, 1, 2, 3, 4, 50].map(backoff)).toEqual([200, 400, 800, 1600, 2000, 2000]);
  });
});
