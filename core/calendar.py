"""Working days and deadlines (工作日, 期限) over a table of statutory holidays and make-up days.

Pure arithmetic: the table comes from the caller, `holiday_rows` offers what the State Council has announced to seed it.
Days not listed follow the weekday rule. Which limit applies to which step is not decided here (Order 809).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chinese_calendar.constants import Holiday as AnnouncedHoliday
from chinese_calendar.constants import holidays, workdays

SHANGHAI = ZoneInfo("Asia/Shanghai")

_DAY = timedelta(days=1)
_SATURDAY = 5


def today_in_shanghai(now: datetime) -> date:
    """Return the day it is in Shanghai: what begins or ends on a day does so by that calendar."""
    return now.astimezone(SHANGHAI).date()


def month_start(day: date, months_back: int) -> date:
    """Return the first day of the month so many months before the month of a day."""
    place = day.year * 12 + day.month - 1 - months_back
    return date(place // 12, place % 12 + 1, 1)


@dataclass(frozen=True)
class Calendar:
    """`days` lists the exceptions: True is a make-up working day, False a holiday."""

    days: Mapping[date, bool]

    def is_working(self, day: date) -> bool:
        """Tell whether offices work on that day."""
        listed = self.days.get(day)
        return day.weekday() < _SATURDAY if listed is None else listed

    def add_working_days(self, start: date, count: int) -> date:
        """Return the `count`-th working day after `start`; the day after `start` is the first that counts."""
        if count < 0:
            raise ValueError("count must not be negative")
        day = start
        while count:
            day += _DAY
            count -= self.is_working(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and including `end`; negative when `end` comes first."""
        if end < start:
            return -self.working_days_between(end, start)
        return sum(self.is_working(start + _DAY * step) for step in range(1, (end - start).days + 1))

    def deadline(self, start: datetime, days: int) -> datetime:
        """Return 24:00 Asia/Shanghai of the `days`-th working day after the moment `start`: late from then on."""
        if start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        last_day = self.add_working_days(start.astimezone(SHANGHAI).date(), days)
        return datetime.combine(last_day + _DAY, time.min, tzinfo=SHANGHAI)


# Chinese names of the announced holidays; a day without one keeps the plain word.
_NAMES = {
    AnnouncedHoliday.new_years_day: "元旦",
    AnnouncedHoliday.spring_festival: "春节",
    AnnouncedHoliday.tomb_sweeping_day: "清明节",
    AnnouncedHoliday.labour_day: "劳动节",
    AnnouncedHoliday.dragon_boat_festival: "端午节",
    AnnouncedHoliday.national_day: "国庆节",
    AnnouncedHoliday.mid_autumn_festival: "中秋节",
    AnnouncedHoliday.anti_fascist_70th_day: "抗战胜利纪念日",
}
_PLAIN_NAME = "节假日"


def holiday_rows(year: int) -> list[tuple[date, str, bool]]:
    """Return (day, Chinese name, is working) for every exception of a year; empty when the year is not announced.

    An empty answer means that weekends alone count: the caller warns an administrator.
    """
    rows = [(day, name, False) for day, name in holidays.items() if day.year == year]
    rows += [(day, name, True) for day, name in workdays.items() if day.year == year]
    names = {holiday.value: name for holiday, name in _NAMES.items()}
    return sorted((day, names.get(name, _PLAIN_NAME), is_working) for day, name, is_working in rows)
