# Bản chạy thử, mọi người trong đó là hư cấu.
sandbox-name = Bản chạy thử
sandbox-banner = Bản chạy thử: mọi người và mọi số ở đây là hư cấu.
sandbox-messages-title = Tin nhắn đã gửi
sandbox-messages-lead = Tin nhắn và thư của bản chạy thử không gửi đi đâu cả, chỉ hiện ở đây, tin mới nhất ở trên.
sandbox-no-messages = Chưa có tin nào.
sandbox-sms = Tin nhắn SMS
sandbox-mail = Thư điện tử
sandbox-registry-title = Dữ liệu dân cư đóng thế
sandbox-registry-lead = Chọn cách hệ thống dân cư trả lời cho từng người.
sandbox-mood = Khi được hỏi về người này, hệ thống dân cư
sandbox-mood-right = trả lời ngay
sandbox-mood-slow = trả lời chậm (4 giây)
sandbox-mood-down = không trả lời
sandbox-mood-garbage = trả lời không đọc được
sandbox-play = Đặt
sandbox-begun = Nơi này dành cho dữ liệu hư cấu: tin nhắn hiện trên trang /sandbox.
error-people-here = Đã có tài khoản ở đây. Bản chạy thử phải bắt đầu từ nơi chưa có dữ liệu.
