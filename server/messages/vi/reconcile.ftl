run-waiting = đang chờ phê duyệt
run-applied = đã thực hiện
run-undone = đã hoàn tác
run-day = Đối chiếu { $n } tài khoản công vụ với hồ sơ nhân sự, tính đến ngày { $day }.
run-newly-held = Tài khoản đang mở sẽ bị khóa: { $n }.
run-opened = Tài khoản được mở khóa: { $n }.
run-creates = Tài khoản lập ở đơn vị mới: { $n }.
run-newcomers = Hồ sơ đang công tác chưa có tài khoản: { $n }. Muốn tự lập: ngomon policy set newcomers create.
run-newcomers-made = Tài khoản lập cho hồ sơ đang công tác chưa có tài khoản: { $n }.
run-writes-back = Tài khoản cập nhật thông tin theo hồ sơ nhân sự: { $n }.
run-undecided = Chưa đủ căn cứ, giữ nguyên hiện trạng: { $n }.
run-simulated = Chạy thử: không thay đổi dữ liệu.
run-simulated-stopped = Chạy thử: không thay đổi dữ liệu. Khi chạy thật, đợt này cần phê duyệt.
run-applied-done = Đã thực hiện.
run-stopped = Chưa khóa tài khoản nào. Xem danh sách, rồi phê duyệt: ngomon reconcile --approve { $run }
run-undone-done = Đã hoàn tác { $n } thay đổi của đợt. Đợt tự động tiếp theo chờ người phê duyệt.
run-changed-since = Tài khoản { $account } đã thay đổi sau đợt này, nên giữ nguyên.
brake-mass-hold = Vượt ngưỡng an toàn: đợt này sẽ khóa thêm { $held } tài khoản ({ $share } số đang mở; các đợt chưa ai phê duyệt trong 7 ngày qua đã khóa { $lately }; ngưỡng { $limit }), nhiều nhất ở { $unit }: { $n }.
brake-unit = Vượt ngưỡng an toàn đã đặt cho mỗi đơn vị: { $unit }.
brake-reason = Vượt ngưỡng an toàn đã đặt cho lý do: { $reason }.
brake-after-undo = Đợt trước đã được hoàn tác, nên đợt này chờ người phê duyệt.

setting-done = Đã đặt { $key } = { $value }.
setting-needs-approval = Chưa thay đổi gì: đặt { $key } = { $value } sẽ khóa hoặc chặn { $n } tài khoản. Nếu đúng ý, chạy lại kèm --approve.
campaign-start = ngày bắt đầu đợt chuẩn hóa
campaign-deadline-officials = hạn của cán bộ, công chức, viên chức (hết ngày)
campaign-deadline-citizens = hạn của người dân (hết ngày); để trống: không đặt hạn
campaign-after-deadline = quá hạn thì: nag (nhắc), require (phải làm mới vào được hệ thống kết nối), hold (khóa)
campaign-vneid-activation = ngày mở đăng nhập bằng VNeID
campaign-vneid-cut-over = ngày chuyển hẳn sang VNeID
campaign-freeze = tạm dừng nhắc và khóa (on, off)
policy-grace-transfer = số ngày chờ sau ngày chuyển công tác
policy-grace-stale-info = số ngày chờ sau ngày đến hạn cập nhật
policy-review-months = số tháng giữa hai lần rà soát (12 hoặc 6)
policy-idle-days = số ngày không đăng nhập thì tạm khóa; để trống: không khóa
policy-newcomers = hồ sơ chưa có tài khoản: desk (chờ HR bấm), create (tự lập)
policy-brake-unit = ngưỡng an toàn cho mỗi đơn vị; để trống: không đặt
policy-brake-reason = ngưỡng an toàn cho lý do này; để trống: không đặt
