-- The newest dead letters of each partition. Keys: letters, burials. Arguments: how many; `<when it first died>|<id>` of the
-- one behind which to begin, or nothing; the states, as many as follow. Answers place and text of each.
local limit, after, states, answers = tonumber(arg()), arg(), tonumber(arg()), {}
local first = cursor
for p = 1, count do
  local places = {}
  for s = first + 1, first + states do
    local from = after == '' and '(' .. ARGV[s] .. '}' or '(' .. ARGV[s] .. '|' .. after
    for _, found in ipairs(redis.call('ZREVRANGEBYLEX', key(p, 2), from, '[' .. ARGV[s] .. '|', 'LIMIT', 0, limit)) do
      places[#places + 1] = found
    end
  end
  local answer = {}
  for _, found in ipairs(places) do
    answer[#answer + 1] = found
    answer[#answer + 1] = redis.call('HGET', key(p, 1), string.match(found, '[^|]+$'))
  end
  answers[p] = answer
end
return answers
