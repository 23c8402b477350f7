-- The oldest dead letters of each partition. Keys: letters, burials. Argument: how many.
local limit, answers = tonumber(arg()), {}
for p = 1, count do
  answers[p] = {}
  local ids = redis.call('LRANGE', key(p, 2), 0, math.min(limit, 5000) - 1)
  if #ids > 0 then answers[p] = redis.call('HMGET', key(p, 1), unpack(ids)) end
end
return answers
