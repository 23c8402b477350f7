-- Notes what an operator did with a dead letter. One that died since the operator looked goes on waiting. Keys: letters,
-- burials. Arguments for each partition: id, state, by whom, when, why (or nothing), attempts that the operator saw. Answers
-- its text, false for an unknown one.
local answers = {}
for p = 1, count do
  local id, state, by, at, reason, attempts = arg(), arg(), arg(), arg(), arg(), tonumber(arg())
  local text = redis.call('HGET', key(p, 1), id)
  if text then
    local letter = cjson.decode(text)
    redis.call('ZREM', key(p, 2), place(id, letter))
    if letter.attempts == attempts then letter.state = state end
    if state == 'replayed' then letter.replays = letter.replays + 1 end
    letter.lastAction = { by = by, at = at, reason = reason ~= '' and reason or cjson.null }
    text = cjson.encode(letter)
    redis.call('HSET', key(p, 1), id, text)
    redis.call('ZADD', key(p, 2), 0, place(id, letter))
  end
  answers[p] = text
end
return answers
