-- The next messages behind a position: at most so many, and no more once so many bytes are out. Keys: inbox. Arguments for
-- each partition: position, messages, bytes. Answers `id source length` of each, and their bytes one behind the other.
local PAGE = 50

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
  local heads, bodies, taken, more = {}, {}, 0, true
  while more and #bodies < messages and taken < bytes do
    local asked = math.min(PAGE, messages - #bodies)
    local page = redis.call('XRANGE', key(p, 1), '(' .. position, '+', 'COUNT', asked)
    more = #page == asked
    for _, entry in ipairs(page) do
      if taken >= bytes then break end
      local task, source = fieldsOf(entry)
      position, taken = entry[1], taken + #task
      heads[#heads + 1] = position .. ' ' .. source .. ' ' .. #task
      bodies[#bodies + 1] = task
    end
  end
  answers[p] = { table.concat(heads, '\n'), table.concat(bodies) }
end
return answers
