-- What wrk sends: one request over and over, or one for each line of a file of tokens, which ends the run when it is
-- used up. What it found stands on the last line, as JSON. Called by wrk.mjs.
--   wrk -s drive.lua URL -- METHOD PATH HEADERS_FILE BODY_FILE TOKENS_FILE HEADER PREFIX    ("-" for none)

local method, path, body, header, prefix
local headers, tokens, fixed = {}, nil, nil
local at = 0

local function whole(name)
  local file = assert(io.open(name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  method, path = args[1], args[2]
  for name, value in whole(args[3]):gmatch("([^:\n]+): ([^\n]*)\n") do
    headers[name] = value
  end
  body = args[4] ~= "-" and whole(args[4]) or nil
  header, prefix = args[6], args[7]
  if args[5] == "-" then
    fixed = wrk.format(method, path, headers, body)
    return
  end
  tokens = {}
  for line in io.lines(args[5]) do
    tokens[#tokens + 1] = line
  end
end

function request()
  if fixed then
    return fixed
  end
  at = at + 1
  if at >= #tokens then
    -- Nothing is sent twice. Who started this ends it on that word: wrk itself would sleep on.
    wrk.thread:stop()
    at = #tokens
    io.write("used up\n")
    io.flush()
  end
  headers[header] = prefix .. tokens[at]
  return wrk.format(method, path, headers, body)
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"us":%d,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
