# Các trang.
page-service = Tài khoản Hue-S
page-province = Thành phố Huế
page-skip = Đến nội dung chính
page-language = Tiếng Việt
page-wrong = Cần xem lại
page-errors = Có nội dung cần xem lại
page-code = Mã
page-help = Cần hỗ trợ: gọi 19001075 hoặc đến quầy hỗ trợ gần nhất trong giờ làm việc.

sign-in-title = Đăng nhập
sign-in-lead = Dùng tài khoản Hue-S hoặc tài khoản công vụ.
sign-in-username = Tên đăng nhập
sign-in-password = Mật khẩu
sign-in-button = Đăng nhập
sign-in-wrong = Tên đăng nhập hoặc mật khẩu chưa đúng. Mời nhập lại.
sign-in-empty = Mời nhập cả tên đăng nhập và mật khẩu.
sign-in-no-username = Mời nhập tên đăng nhập.
sign-in-unreadable = Chưa đọc được nội dung vừa gửi. Mời nhập lại.
sign-in-too-often = Đã thử nhiều lần. Mời thử lại sau 15 phút, hoặc gọi 19001075.
sign-in-again = Lựa chọn đã hết thời gian. Mời đăng nhập lại.
sign-out = Đăng xuất
choose-title = Chọn tài khoản
choose-lead = Tên đăng nhập này dùng chung cho nhiều tài khoản. Mời chọn tài khoản cần dùng.

form-title = Chuẩn hóa tài khoản
form-lead = Nhập bốn thông tin, đúng như khi đăng ký làm thẻ căn cước. Mỗi người chỉ chuẩn hóa một tài khoản; dữ liệu trong tài khoản được giữ nguyên.
form-deadline = Hạn hoàn thành: hết ngày { $day }.
form-full-name = Họ và tên
form-hint-full-name = Có dấu, đúng như trên thẻ
form-national-id = Số căn cước công dân
form-hint-national-id = 12 số, in trên thẻ CCCD hoặc thẻ căn cước
form-issued-on = Ngày cấp
form-hint-issued-on = Ngày in ở mặt sau thẻ, ví dụ 15/8/2021
form-phone = Số điện thoại
form-hint-phone = Số đã đăng ký khi làm thẻ
form-send = Gửi thông tin
form-put-off = Để sau
form-whose = Tài khoản này đang mang tên { $stated }, còn phiếu khai ghi tên { $typed }. Mỗi tài khoản chỉ chuẩn hóa cho một người. Khai giúp người khác thì đăng nhập bằng tài khoản của người đó.
form-mine = Đúng, đây là tài khoản của tôi
form-anew = Khai lại
form-unreadable = Chưa đọc được nội dung vừa gửi. Mời nhập lại bốn thông tin.
form-no-full-name = Mời nhập họ và tên.
form-no-national-id = Mời nhập số căn cước.
form-no-issued-on = Mời nhập ngày cấp.
form-no-phone = Mời nhập số điện thoại.
form-bad-full-name = Mời nhập họ và tên như trên thẻ, chỉ gồm chữ.
form-bad-national-id = Số căn cước gồm 12 số. Số vừa nhập có { $n } số. Mời nhập số in trên thẻ CCCD hoặc thẻ căn cước.
form-bad-national-id-9 = Số căn cước gồm 12 số. Số vừa nhập có 9 số, có thể là số CMND cũ. Mời nhập số in trên thẻ CCCD hoặc thẻ căn cước.
form-bad-issued-on = Ngày cấp là ngày in ở mặt sau thẻ, ví dụ 15/8/2021. Ngày vừa nhập ({ $typed }) chưa đúng.
form-bad-phone = Số điện thoại chưa đúng dạng. Mời nhập số di động Việt Nam, ví dụ 0912 345 678.
form-differs = Thông tin chưa khớp với dữ liệu dân cư. Mời xem lại cả bốn ô theo thẻ mới nhất; số điện thoại là số đã đăng ký khi làm thẻ. Vẫn chưa được thì mang thẻ đến quầy hỗ trợ; tài khoản vẫn dùng bình thường. (Còn { $left } lần thử trong hôm nay.)
form-differs-held = Thông tin chưa khớp với dữ liệu dân cư. Mời xem lại cả bốn ô theo thẻ mới nhất; số điện thoại là số đã đăng ký khi làm thẻ. Vẫn chưa được thì mang thẻ đến quầy hỗ trợ. (Còn { $left } lần thử trong hôm nay.)
form-too-often = Hôm nay đã thử đủ số lần. Mời thử lại vào ngày mai, hoặc mang thẻ đến quầy hỗ trợ; tài khoản vẫn dùng bình thường.
form-too-often-held = Hôm nay đã thử đủ số lần. Mời thử lại vào ngày mai, hoặc mang thẻ đến quầy hỗ trợ.

answer-receipt = Mã tra cứu
answer-on = Tiếp tục
answer-standardised-title = Đã chuẩn hóa tài khoản
answer-standardised-text = Đã chuẩn hóa tài khoản cho { $name }. Việc tiếp theo: cài đặt và kích hoạt VNeID mức 2.
answer-done-title = Tài khoản đã chuẩn hóa từ trước
answer-done-text = Không cần khai lại.
answer-pending-title = Đã nhận thông tin
answer-pending-text = Đã nhận thông tin lúc { $at }. Hệ thống dân cư đang bận, kết quả sẽ tự có, không cần khai lại; tài khoản vẫn dùng bình thường.
answer-pending-text-held = Đã nhận thông tin lúc { $at }. Hệ thống dân cư đang bận, kết quả sẽ tự có, không cần khai lại.
answer-taken-title = Số căn cước đã chuẩn hóa cho tài khoản khác
answer-taken-text = Thông tin đã khớp, nhưng số căn cước này đã chuẩn hóa cho một tài khoản khác, nên tài khoản này tạm bị khóa. Đăng nhập lại để xem cách mở khóa. Dữ liệu không bị mất.
answer-revoked-title = Số định danh đã được cấp lại
answer-revoked-text = Số định danh này đã được cấp lại thành số khác. Mời nhập số trên thẻ mới, hoặc hỏi công an xã/phường nơi cư trú.
answer-deceased-title = Mời đến quầy hỗ trợ
answer-deceased-text = Chưa thể chuẩn hóa bằng số định danh này. Mời mang giấy tờ đến quầy hỗ trợ để được giải quyết; dữ liệu trong tài khoản vẫn được giữ.

privacy-title = Thông tin được dùng vào việc gì
privacy-text = Bốn thông tin chỉ dùng để đối chiếu với Cơ sở dữ liệu quốc gia về dân cư, theo Công văn số 125/UBND ngày 14/7/2023. Thông tin được mã hóa khi lưu; mỗi lần đối chiếu được ghi vào lịch sử tài khoản. (Bản 1)

home-title = Tài khoản của tôi
home-standardised = Tài khoản đã chuẩn hóa.
home-pending = Thông tin đang chờ đối chiếu. Mã tra cứu: { $receipt }. Không cần khai lại.
home-put-off = Đã để sau. Biểu mẫu sẽ hiện lại ở lần đăng nhập tới.
home-open = Tài khoản đang mở.
history-title = Lịch sử tài khoản
sessions-title = Những nơi đang đăng nhập
sessions-began = Bắt đầu
sessions-seen = Lần dùng gần nhất
sessions-close-others = Đăng xuất khỏi những nơi khác

held-title = Tài khoản đang bị khóa
held-several = Tài khoản mở lại khi gỡ hết { $n } lý do dưới đây.
held-form = Chuẩn hóa bằng thông tin của tôi
held-opened = Tài khoản đã mở lại
held-opened-text = Mời đăng xuất rồi đăng nhập lại để dùng tài khoản.

fault-title = Hệ thống đang bận
fault-text = Chưa thực hiện được; không có gì thay đổi. Mời thử lại sau ít phút.
missing-title = Không có trang này
missing-text = Địa chỉ có thể đã thay đổi. Mời quay lại trang đầu.

serve-open = Mở { $url } (Ctrl-C để dừng)
