import { expect, test } from "vitest";
import { casesOf } from "../src/reading-room/waiting-here";

const row = (account: string | undefined, reading: string, id: string, kind = "cast_vote") =>
  ({ account, reading, caseLabel: `Case ${reading}`, change: { kind, change_id: id } }) as never;

test("what waits is counted by case, each change once, wherever it is kept", () => {
  const rows = [row("me", "a", "1"), row("me", "b", "2"), row("me", "a", "3"), row("me", "a", "1")];
  expect(casesOf("me", rows)).toEqual([
    { reading: "a", caseLabel: "Case a", number: 2 },
    { reading: "b", caseLabel: "Case b", number: 1 },
  ]);
});

test("nothing is told of another account's, nor of what names no account", () => {
  expect(casesOf("me", [row("another", "a", "1"), row(undefined, "a", "2")])).toEqual([]);
});

test("of a case of which the page alone noted something nothing is told", () => {
  const noted = [row("me", "a", "1", "open"), row("me", "a", "2", "add_active_time")];
  expect(casesOf("me", noted)).toEqual([]);
  expect(casesOf("me", [...noted, row("me", "a", "3")])).toMatchObject([{ reading: "a", number: 3 }]);
});
