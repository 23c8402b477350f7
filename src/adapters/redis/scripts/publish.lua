-- Appends messages to inboxes. Keys: meta, inbox, open, closed. Arguments: the channel, how many bytes of a message the news may
-- carry; for each partition how many messages, source and length of each, and all their bytes one behind the other.
local metas = {}
for p = 1, count do
  metas[p] = redis.call('HMGET', key(p, 1), 'identity', 'number', 'consumed')
  if metas[p][1] ~= identity then return gone end
end
local channel, carried, names, answers = arg(), tonumber(arg()), {}, {}

-- News of a message that is alone in its inbox and for a session that nobody knows: its owner needs to ask nothing, unless it
-- has moved since. Only ASCII comes through the channel as it is.
local function newsOf(position, source, task)
  local id = sessionIn(task)
  if #task > carried or id == UNNAMED or string.find(task, '[\128-\255]') or redis.call('XLEN', key(1, 2)) > 1
    or redis.call('HEXISTS', key(1, 3), id) + redis.call('HEXISTS', key(1, 4), id) > 0 then return nil end
  return table.concat({ 'inbox', names[1], metas[1][2], metas[1][3], position, source, id, task }, ' ')
end

local position, source, task
for p = 1, count do
  local name, messages = arg(), tonumber(arg())
  local heads = cursor
  cursor = cursor + 2 * messages
  local bytes, start = arg(), 1
  for m = 1, messages do
    local length = tonumber(ARGV[heads + 2 * m])
    source, task = ARGV[heads + 2 * m - 1], string.sub(bytes, start, start + length - 1)
    position = redis.call('XADD', key(p, 2), '*', 'source', source, 'task', task)
    start = start + length
  end
  names[p], answers[p] = name, messages
end
local alone = count == 1 and answers[1] == 1
redis.call('PUBLISH', channel, alone and newsOf(position, source, task) or 'inbox ' .. table.concat(names, ','))
return answers
