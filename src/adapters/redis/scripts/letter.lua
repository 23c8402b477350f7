-- One dead letter of each partition, text and bytes. Keys: letters. Arguments for each partition: its id.
local answers = {}
for p = 1, count do
  local id = arg()
  answers[p] = redis.call('HMGET', key(p, 1), id, id .. ':bytes')
end
return answers
