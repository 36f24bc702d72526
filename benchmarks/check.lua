-- Checks every answer of a wrk run, and prints what it saw as one line of JSON.
-- wrk -s check.lua URL -- METHOD LENGTH [BODY FILE]: an answer is whole when its status is 200 and its body has LENGTH bytes.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   wrk.method = args[1]
   length = tonumber(args[2])
   if args[3] then
      local file = assert(io.open(args[3], "rb"))
      wrk.body = file:read("*a")
      file:close()
   end
   seen, wrong_status, wrong_length = 0, 0, 0
end

function response(status, headers, body)
   seen = seen + 1
   if status ~= 200 then
      wrong_status = wrong_status + 1
   elseif #body ~= length then
      wrong_length = wrong_length + 1
   end
end

function done(summary, latency, requests)
   local checked, bad_status, bad_length = 0, 0, 0
   for _, thread in ipairs(threads) do
      checked = checked + thread:get("seen")
      bad_status = bad_status + thread:get("wrong_status")
      bad_length = bad_length + thread:get("wrong_length")
   end
   local errors = summary.errors
   local broken = errors.connect + errors.read + errors.write + errors.timeout
   local shape = '{"requests": %d, "checked": %d, "wrong_status": %d, "wrong_length": %d, "broken": %d, ' ..
      '"took_us": %d, "p50_us": %.1f, "p99_us": %.1f, "max_us": %.1f}\n'
   io.write(shape:format(summary.requests, checked, bad_status, bad_length, broken, summary.duration,
      latency:percentile(50), latency:percentile(99), latency.max))
end
