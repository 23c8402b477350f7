-- Takes a dead letter's bytes and reason away. Keys: letters, burials. Arguments for each partition: id. Answers 1, or 0 for
-- an unknown one.
local answers = {}
for p = 1, count do
  local id = arg()
  local text = redis.call('HGET', key(p, 1), id)
  if text then
    local letter = cjson.decode(text)
    redis.call('ZREM', key(p, 2), place(id, letter))
    letter.reason, letter.sizeBytes, letter.state = 'erased', 0, 'discarded'
    redis.call('HSET', key(p, 1), id, cjson.encode(letter), id .. ':bytes', '')
    redis.call('ZADD', key(p, 2), 0, place(id, letter))
  end
  answers[p] = text and 1 or 0
end
return answers
