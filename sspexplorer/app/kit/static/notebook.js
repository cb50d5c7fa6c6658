// In notebooks Panel's pages send back to Python whatever Python has changed on them. On a busy
// machine that comes after the next change, and undoes it; it is as much again to send, too.
(() => {
  const quieten = () => {
    const manager = window.Bokeh?.Panel?.CommManager
    if (!manager || manager.isQuiet) return
    const changed = manager.prototype._document_changed
    manager.prototype._document_changed = function (event) {
      if (event.sync !== false) changed.call(this, event)
    }
    manager.isQuiet = true
  }
  // Where another notebook is open, its scripts are there before those of this one.
  const again = setInterval(quieten, 25)
  setTimeout(() => clearInterval(again), 60_000)
  quieten()
})()
