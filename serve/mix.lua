-- What `make bench-http` has wrk ask for: wrk -s serve/mix.lua URL -- KEYS
--
-- Of a hundred requests 95 get one of the first KEYS keys, which the server was started with and nobody deletes, three
-- put and two delete one of the hundred keys after them. So every get finds its key, and any answer but 2xx is a failure.
-- racelab-serve --bare does the same without sockets (serve/bare.cpp).
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

-- Requests are put together beforehand: what wrk's own processor time buys is missing to the server.
local requests, count, at = {}, 8192, 0

function init(arguments)
  local keys, changing = tonumber(arguments[1]), 100
  math.randomseed(number + 1)
  for i = 1, count do
    local share = math.random(100)
    if share <= 95 then
      requests[i] = wrk.format("GET", "/kv/key-" .. math.random(0, keys - 1))
    else
      local path = "/kv/key-" .. (keys + math.random(0, changing - 1))
      if share <= 98 then
        requests[i] = wrk.format("PUT", path, nil, "value-of-" .. number)
      else
        requests[i] = wrk.format("DELETE", path)
      end
    end
  end
end

function request()
  at = at % count + 1
  return requests[at]
end

-- One line for cmake/bench_http.py.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "bad_status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), errors.status, errors.connect,
    errors.read, errors.write, errors.timeout))
end
