// Says of the last day's moments how long ago they were; on hover, of each moment what time that was here.
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const local = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const ago = (seconds) => {
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  return `${Math.floor(seconds / HOUR)} h ago`;
};
for (const element of document.querySelectorAll("time[datetime*=T]")) {
  const moment = new Date(element.dateTime);
  const seconds = (Date.now() - moment) / 1000;
  const inUtc = element.textContent;
  element.title = `${inUtc}; your time: ${local.format(moment)}`;
  if (seconds >= 0 && seconds < DAY) {
    const timeOfDay = inUtc.split(", ").pop();
    element.textContent = `${ago(seconds)} (${timeOfDay})`;
  }
}
