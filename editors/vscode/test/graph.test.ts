import assert from "node:assert/strict";
import { test } from "node:test";
import { failurePage, graphArguments, pageOf, sealed } from "../src/graph";

test("meshc is asked for a page", () => {
  assert.deepEqual(graphArguments("/home/ada/shop"), ["graph", "--format", "html", "/home/ada/shop"]);
});

test("the server may answer with the text or with an object", () => {
  assert.equal(pageOf("<p>a</p>"), "<p>a</p>");
  assert.equal(pageOf({ html: "<p>a</p>" }), "<p>a</p>");
  for (const nothing of [undefined, null, 3, "", " \n", {}, { html: 3 }, []]) {
    assert.equal(pageOf(nothing), undefined);
  }
});

test("a page may load nothing", () => {
  const page = sealed("<!DOCTYPE html><html><head lang=en><title>a</title></head><body>b</body></html>");
  assert.match(page, /<head lang=en><meta http-equiv="Content-Security-Policy" content="default-src 'none';[^>]*><title>/);
  const bare = sealed("<svg></svg>");
  assert.match(bare, /<head><meta [^>]*><\/head><body><svg><\/svg><\/body>/);
  // A header is no head.
  assert.match(sealed("<header>a</header>"), /<body><header>a<\/header><\/body>/);
});

test("what meshc says is shown, not run", () => {
  const page = failurePage("a <b> & c");
  assert.match(page, /<pre>a &lt;b&gt; &amp; c<\/pre>/);
  assert.match(page, /Content-Security-Policy/);
});
