import { expect, it } from "vitest";
import { standing } from "../src/reading-room/films";

it("says how long before the rated film another was taken as people say it", () => {
  const said = [0, 1, 60, 61, 214, 365, 729, 731, 1096, 882, 3652].map((days_before) =>
    standing({ role: "prior", days_before }),
  );
  expect(said).toEqual([
    "same day",
    "1 day earlier",
    "60 days earlier",
    "2 months earlier",
    "7 months earlier",
    "12 months earlier",
    "2 years earlier",
    "2 years earlier",
    "3 years earlier",
    "2 years 5 months earlier",
    "10 years earlier",
  ]);
  expect(standing({ role: "same_study", days_before: 0 })).toBe("same study");
  expect(standing({ role: "prior", days_before: null })).toBe("earlier");
});
