import assert from "node:assert/strict";
import { test } from "node:test";
import { testArguments, testOf } from "../src/commands";

test("a test is run by its title, whatever stands in that", () => {
  const found = testOf({ mesh: "/shop", test: 'jason "sees" v2; rm' });
  assert.deepEqual(found && testArguments(found), ["test", "--filter", 'jason "sees" v2; rm', "/shop"]);
});

test("what is no test is not run", () => {
  for (const argument of [undefined, null, "x", {}, { mesh: 1, test: "x" }, { mesh: "x" }]) {
    assert.equal(testOf(argument), undefined);
  }
});
