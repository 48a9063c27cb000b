clock-and-day = { $clock } ngày { $day }
