-- How far each partition has come: the journal's last number, and the last message's id while some wait: what is behind its owner
-- wakes nobody. Keys: meta, inbox.
local function lastWaiting(inbox)
  if redis.call('XLEN', inbox) == 0 then return '' end
  return redis.call('XREVRANGE', inbox, '+', '-', 'COUNT', 1)[1][1]
end

local answers = {}
for p = 1, count do answers[p] = { redis.call('HGET', key(p, 1), 'number') or '', lastWaiting(key(p, 2)) } end
return answers
