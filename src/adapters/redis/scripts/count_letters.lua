-- How many dead letters each partition keeps of each state, and how many made room. Keys: meta, burials. Arguments: the states.
local answers, first = {}, cursor
for p = 1, count do
  local answer = { tonumber(redis.call('HGET', key(p, 1), 'lettersDropped') or '0') }
  for s = first + 1, #ARGV do
    answer[#answer + 1] = redis.call('ZLEXCOUNT', key(p, 2), '[' .. ARGV[s] .. '|', '(' .. ARGV[s] .. '}')
  end
  answers[p] = answer
end
return answers
