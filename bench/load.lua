-- Sends requests prepared in files, one file a thread, each request once; starts anew when a file runs out.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end
function init(args)
  requests = {}
  local file = assert(io.open(args[1] .. "." .. number, "rb"))
  local all = file:read("*a")
  file:close()
  local at = 1
  while at <= #all do
    local length = tonumber(all:sub(at, at + 7))
    requests[#requests + 1] = all:sub(at + 8, at + 7 + length)
    at = at + 8 + length
  end
  sent = 0
end
function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end
function done(summary, latency, _)
  io.write(string.format("\n@ %d %d %d %d %d\n", summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, latency:percentile(99)))
end
