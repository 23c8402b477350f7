-- Removes a registered reader. Keys: readers. Argument: its name. Answers 1 where it was registered.
local name, answers = arg(), {}
for p = 1, count do answers[p] = redis.call('HDEL', key(p, 1), name) end
return answers
