-- Takes those partitions that are free. Keys: meta. Arguments: the member, the time to live; for each partition the token.
-- Answers epoch, head's number and id, position and until when sessions were forgotten; nothing where it is not free.
local member, ttl, now, answers = arg(), tonumber(arg()), nowMs(), {}
for p = 1, count do
  local meta, token = key(p, 1), arg()
  local kept = redis.call('HMGET', meta, 'identity', 'owner', 'expires', 'epoch', 'number', 'head', 'consumed', 'forgotten')
  answers[p] = {}
  if kept[1] == identity and (kept[2] == '' or tonumber(kept[3]) <= now) then
    -- Time in it keeps the epoch growing also where the log lost its tail, and the count with it.
    local epoch = whole(math.max(tonumber(kept[4]) + 1, now))
    redis.call('HSET', meta, 'owner', member, 'token', token, 'expires', whole(now + ttl), 'epoch', epoch)
    answers[p] = { epoch, kept[5], kept[6], kept[7], kept[8] }
  end
end
return answers
