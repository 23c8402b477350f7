-- Frees what is still held under these tokens. Keys: meta. Arguments: the channel; for each partition the token.
local channel, answers = arg(), {}
for p = 1, count do
  local meta, token = key(p, 1), arg()
  local kept = redis.call('HMGET', meta, 'identity', 'token')
  answers[p] = 0
  if kept[1] == identity and kept[2] == token then
    redis.call('HSET', meta, 'owner', '', 'token', '')
    answers[p] = 1
  end
end
redis.call('PUBLISH', channel, 'leases')
return answers
