-- Bodies for wrk: ROWS rows of FEATURES random numbers in one POST of the Open Inference Protocol.
-- wrk ... -s infer.lua -- MODEL ROWS FEATURES json|binary
local bodies, at = {}, 0

local function body(rows, features, kind)
  local count = rows * features
  local head = '{"inputs":[{"name":"features","datatype":"FP32","shape":[' .. rows .. "," .. features .. "],"
  local values = {}
  if kind == "json" then
    for index = 1, count do values[index] = string.format("%.6f", math.random() * 4 - 2) end
    return head .. '"data":[' .. table.concat(values, ",") .. "]}]}", nil
  end
  -- Floats of 1 to 2 by their bits: sign and exponent fixed, the fraction random.
  for index = 1, count do
    values[index] = string.char(math.random(0, 255), math.random(0, 255), math.random(128, 255), 0x3f)
  end
  head = head .. '"parameters":{"binary_data_size":' .. count * 4 .. '}}],"parameters":{"binary_data_output":true}}'
  return head .. table.concat(values), #head
end

function init(arguments)
  local model, rows, features, kind = arguments[1], tonumber(arguments[2]), tonumber(arguments[3]), arguments[4]
  math.randomseed(1)
  for index = 1, 64 do
    local text, length = body(rows, features, kind)
    local headers = {["Content-Type"] = length and "application/octet-stream" or "application/json"}
    if length then headers["Inference-Header-Content-Length"] = length end
    bodies[index] = wrk.format("POST", "/v2/models/" .. model .. "/infer", headers, text)
  end
end

function request()
  at = at % #bodies + 1
  return bodies[at]
end

-- The summary that a script can read: one line, times in milliseconds.
function done(summary, latency, _)
  local seconds = summary.duration / 1e6
  local errors = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout
  io.write(string.format(
    "infer: %.0f requests/s, p50 %.3f ms, p99 %.3f ms, max %.2f ms, errors %d\n",
    summary.requests / seconds, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, errors))
end
