-- For wrk: one request, again and again.
--	wrk -s tokens.lua URL -- METHOD PATH BODY [NAME VALUE]...
local request_text

function init(args)
	local headers = {}
	for i = 4, #args - 1, 2 do
		headers[args[i]] = args[i + 1]
	end
	request_text = wrk.format(args[1], args[2], headers,
	    args[3] ~= "" and args[3] or nil)
end

function request()
	return request_text
end
