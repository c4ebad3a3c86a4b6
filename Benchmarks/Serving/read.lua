-- Bodies for wrk: ENTITIES random users of USERS in one POST /get-online-features, all features of the view.
-- wrk ... -s read.lua -- ENTITIES USERS [AS_OF]
-- AS_OF (`latest`) is an addition of ours to Feast's protocol; without it windows are read at the wall clock.
local entities, users, time = 1, 100000, ""
local features = {}

function setup(thread)
  thread:set("seed", (seed or 0) + 1)
  seed = (seed or 0) + 1
end

function init(arguments)
  entities = tonumber(arguments[1]) or entities
  users = tonumber(arguments[2]) or users
  if arguments[3] then time = '"as_of":"' .. arguments[3] .. '",' end
  math.randomseed(seed or 1)
  for _, name in ipairs({"payments", "spent", "mean_amount", "largest", "smallest"}) do
    for _, window in ipairs({"5m", "1h", "6h", "24h"}) do
      features[#features + 1] = '"user_stats:' .. name .. "_" .. window .. '"'
    end
  end
  wrk.method = "POST"
  wrk.path = "/get-online-features"
  wrk.headers["Content-Type"] = "application/json"
  head = '{"features":[' .. table.concat(features, ",") .. '],' .. time .. '"entities":{"user_id":['
end

function request()
  local keys = {}
  for index = 1, entities do keys[index] = string.format('"u%06d"', math.random(0, users - 1)) end
  return wrk.format(nil, nil, nil, head .. table.concat(keys, ",") .. "]}}")
end

-- The summary that a script can read: one line, times in milliseconds.
function done(summary, latency, _)
  local seconds = summary.duration / 1e6
  local errors = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout
  io.write(string.format(
    "reads: %.0f requests/s, p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms, errors %d\n",
    summary.requests / seconds, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, errors))
end
