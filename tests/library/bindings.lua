-- SPDX-License-Identifier: LGPL-2.1-or-later
-- bindings.lua: the library gstreamer-vyre-1.0 from Lua, by its typelib: what a table and results
-- gave outlives them, and others that take their memory.
local lgi = require 'lgi'
local Gst, GstVyre = lgi.require ('Gst', '1.0'), lgi.require ('GstVyre', '1.0')

local CAPS = 'application/x-vyre-readback, control-size=704, ring-size=64, debug-log-size=4, '
  .. 'io-queue-size=4, has-sequence=true, results=<"luma%d stats 1 7 samples levels">'

local function same (what, expected, found)
  if expected ~= found then
    io.stderr:write (('FAIL: %s is %s, not %s\n'):format (what, found, expected))
    os.exit (1)
  end
end

local function lend (number)
  local name, words = 'luma' .. number, {}
  local table = GstVyre.Table.new_from_caps (Gst.Caps.from_string (CAPS:format (number)))
  for i = 0, 193 do
    words[#words + 1] = string.pack ('<I4', i >= 160 and i < 176 and number or 0)
  end
  local results = table:read (Gst.Buffer.new_wrapped (_G.table.concat (words)))
  return { entry = table:get_entry (0), caps = table:get_caps (),
           structure = results:get_structure (), fields = results:get_fields (name) }
end

Gst.init ({})
local lent, others = lend (1000), {}
collectgarbage ()
collectgarbage ()
for number = 1, 50 do
  others[number] = lend (number)
end
same ('the name', 'luma1000', lent.entry.name)
same ('the words', 7.0, lent.entry.n_words)
same ('the units', 'samples levels', lent.entry.units)
same ('luma1000 in the caps', true, lent.caps:to_string ():find ('luma1000', 1, true) ~= nil)
same ('luma1000 in the structure', true, lent.structure:has_field ('luma1000'))
same ('max', 1000, lent.fields:get_uint64 ('max'))
