-- Appends messages to inboxes. Keys: meta, inbox. Arguments: the channel; for each partition how many messages, source and
-- length of each, and all their bytes one behind the other.
for p = 1, count do
  if redis.call('HGET', key(p, 1), 'identity') ~= identity then return gone end
end
local channel, names, answers = arg(), {}, {}
for p = 1, count do
  local name, messages = arg(), tonumber(arg())
  local heads = cursor
  cursor = cursor + 2 * messages
  local bytes, start = arg(), 1
  for m = 1, messages do
    local length = tonumber(ARGV[heads + 2 * m])
    redis.call('XADD', key(p, 2), '*', 'source', ARGV[heads + 2 * m - 1], 'task', string.sub(bytes, start, start + length - 1))
    start = start + length
  end
  names[p], answers[p] = name, messages
end
redis.call('PUBLISH', channel, 'inbox ' .. table.concat(names, ','))
return answers
