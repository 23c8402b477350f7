-- Creates partitions that are not there, and answers whose they are. Keys: meta.
local answers = {}
for p = 1, count do
  local meta = key(p, 1)
  if redis.call('EXISTS', meta) == 0 then
    redis.call('HSET', meta, 'identity', identity, 'epoch', '0', 'owner', '', 'token', '', 'expires', '0',
      'number', '0', 'head', '', 'consumed', '0-0', 'forgotten', '')
  end
  answers[p] = redis.call('HGET', meta, 'identity')
end
return answers
