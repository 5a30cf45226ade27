-- Requests over all prefixes, in an order that no cache line likes: /r00000/x, /r07919/x, …
local count, at = 1, 0
function init(args) count = tonumber(args[1]) end
function request()
  at = (at + 7919) % count
  return wrk.format("GET", string.format("/r%05d/x", at))
end
