-- The next messages behind a position: at most so many, and no more once so many bytes are out; and what is kept of the
-- sessions that they name, since their owner would ask for it next. Keys: inbox, open, closed. Arguments for each partition:
-- position, messages, bytes. Answers `id source length session` of each, their bytes one behind the other, and the known
-- sessions, each as its place among the messages and its text.
local PAGE = 50
local function keptOf(p, ids)
  local answer = {}
  for from = 1, #ids, 2000 do
    local some = { unpack(ids, from, math.min(from + 1999, #ids)) }
    local found = {}
    for _, on in ipairs({ key(p, 2), key(p, 3) }) do
      for nth, text in ipairs(redis.call('HMGET', on, unpack(some))) do
        if text and not found[nth] then
          found[nth] = true
          answer[#answer + 1] = from + nth - 2
          answer[#answer + 1] = text
        end
      end
    end
  end
  return answer
end

local function fieldsOf(entry)
  local task, source = '', 'inbox'
  for f = 1, #entry[2], 2 do
    if entry[2][f] == 'task' then task = entry[2][f + 1] end
    if entry[2][f] == 'source' and string.match(entry[2][f + 1], '^%l+$') then source = entry[2][f + 1] end
  end
  return task, source
end

local answers = {}
for p = 1, count do
  local position, messages, bytes = arg(), tonumber(arg()), tonumber(arg())
  local heads, bodies, ids, taken, more = {}, {}, {}, 0, true
  while more and #bodies < messages and taken < bytes do
    local asked = math.min(PAGE, messages - #bodies)
    local page = redis.call('XRANGE', key(p, 1), '(' .. position, '+', 'COUNT', asked)
    more = #page == asked
    for _, entry in ipairs(page) do
      if taken >= bytes then break end
      local task, source = fieldsOf(entry)
      position, taken = entry[1], taken + #task
      ids[#ids + 1] = sessionIn(task)
      heads[#heads + 1] = position .. ' ' .. source .. ' ' .. #task .. ' ' .. ids[#ids]
      bodies[#bodies + 1] = task
    end
  end
  answers[p] = { table.concat(heads, '\n'), table.concat(bodies), keptOf(p, ids) }
end
return answers
