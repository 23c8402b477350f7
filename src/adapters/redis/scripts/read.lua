-- Steps behind a number of each partition, about `limit` facts in all: the first step of every partition comes before the
-- second of any. Keys: meta, journal. Arguments: the limit; for each partition the number.
local BYTES_MAX = 8 * 1024 * 1024
local limit, after, answers, grown = tonumber(arg()), {}, {}, {}
for p = 1, count do
  local kept = redis.call('HMGET', key(p, 1), 'identity', 'number')
  if kept[1] ~= identity then return gone end
  after[p], answers[p] = arg(), {}
  if tonumber(kept[2]) > tonumber(after[p]) then grown[#grown + 1] = p end
end
local facts, bytes = 0, 0
while #grown > 0 and facts < limit and bytes < BYTES_MAX do
  local still = {}
  for _, p in ipairs(grown) do
    if facts >= limit or bytes >= BYTES_MAX then break end
    local entry = redis.call('XRANGE', key(p, 2), '(' .. after[p] .. '-0', '+', 'COUNT', 1)[1]
    if entry then
      local steps, fields = answers[p], entry[2]
      steps[#steps + 1] = fields[2]
      facts, bytes = facts + tonumber(fields[4]), bytes + #fields[2]
      after[p] = string.match(entry[1], '^%d+')
      still[#still + 1] = p
    end
  end
  grown = still
end
return answers
