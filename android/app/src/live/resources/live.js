'use strict';
// Shows the handheld's frames and reports what the mouse, fingers and keys do on them, in order.

const screen = document.getElementById('screen');
const context = screen.getContext('2d');
const linkWords = {
  online: 'The gateway answers.',
  offline: 'No network: the gateway does not answer. Payments are saved on the handheld.',
  unknown: 'Nothing sent yet.',
};

// --- what is shown ---

let frameShown = 0;

async function showFrame(news) {
  if (news.frame === frameShown) return;
  const answer = await fetch('/frame.png', { cache: 'no-store' });
  const picture = await createImageBitmap(await answer.blob());
  if (screen.width !== picture.width || screen.height !== picture.height) {
    screen.width = picture.width;
    screen.height = picture.height;
    screen.style.aspectRatio = `${picture.width} / ${picture.height}`;
  }
  context.drawImage(picture, 0, 0);
  frameShown = news.frame;
}

function showWords(news) {
  const link = document.getElementById('link');
  link.textContent = linkWords[news.link];
  link.className = `link ${news.link}`;
  document.getElementById('pay').hidden = !news.payAddress;
  if (news.payAddress) document.getElementById('open').href = news.payAddress;
  document.getElementById('host').textContent = news.payHost ?? '';
}

async function follow() {
  let number = 0;
  for (;;) {
    try {
      const news = await (await fetch(`/news?after=${number}`)).json();
      number = news.number;
      showWords(news);
      await showFrame(news);
    } catch {
      number = 0;
      document.getElementById('link').textContent = 'The handheld does not answer. Is it still running?';
      document.getElementById('link').className = 'link offline';
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

// --- what is done ---

let waiting = [];
let sending = false;

// One request at a time, so that what came first arrives first.
async function send() {
  if (sending) return;
  sending = true;
  while (waiting.length > 0) {
    const lines = waiting;
    waiting = [];
    try {
      await fetch('/input', { method: 'POST', body: lines.join('\n') });
    } catch {
      // The page says that the handheld is gone; what was done meanwhile is not done later.
    }
  }
  sending = false;
}

function report(line) {
  const last = waiting[waiting.length - 1];
  const sameMove = line.startsWith('move ') && last?.startsWith(line.split(' ', 2).join(' ') + ' ');
  if (sameMove) waiting[waiting.length - 1] = line;
  else waiting.push(line);
  send();
}

const fingers = new Map(); // pointer ID in the browser → finger on the glass

function spot(event) {
  const box = screen.getBoundingClientRect();
  const x = (event.clientX - box.left) * screen.width / box.width;
  const y = (event.clientY - box.top) * screen.height / box.height;
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

function freeFinger() {
  const taken = new Set(fingers.values());
  let finger = 0;
  while (taken.has(finger)) finger++;
  return finger;
}

screen.addEventListener('pointerdown', (event) => {
  event.preventDefault();
  screen.focus();
  screen.setPointerCapture(event.pointerId);
  if (fingers.has(event.pointerId)) return;
  const finger = freeFinger();
  fingers.set(event.pointerId, finger);
  report(`down ${finger} ${spot(event)}`);
});

// A second mouse button is a second finger. Browsers report it as a move of the same pointer.
screen.addEventListener('mousedown', (event) => {
  if (event.button === 2 && fingers.size === 1 && !fingers.has('right')) {
    const finger = freeFinger();
    fingers.set('right', finger);
    report(`down ${finger} ${spot(event)}`);
  }
});
window.addEventListener('mouseup', (event) => {
  if (event.button === 2 && fingers.has('right')) lift('right');
});
screen.addEventListener('contextmenu', (event) => event.preventDefault());

screen.addEventListener('pointermove', (event) => {
  if (fingers.has(event.pointerId)) report(`move ${fingers.get(event.pointerId)} ${spot(event)}`);
});

function lift(pointer) {
  if (!fingers.has(pointer)) return;
  report(`up ${fingers.get(pointer)}`);
  fingers.delete(pointer);
}
screen.addEventListener('pointerup', (event) => lift(event.pointerId));

function cancel() {
  if (fingers.size === 0) return;
  fingers.clear();
  report('cancel');
}
screen.addEventListener('pointercancel', cancel);
window.addEventListener('blur', cancel);
document.addEventListener('visibilitychange', () => { if (document.hidden) cancel(); });

// Four times a second: a finger whose page is gone is taken off the glass.
setInterval(() => { if (fingers.size > 0) report('still'); }, 250);

// --- keys ---

const keys = new Set(['Enter', 'Tab', 'Backspace', 'Escape', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']);

screen.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === ' ') report('key Space down');
  else if (keys.has(event.key)) report(`key ${event.key} down`);
  else if (event.key.length === 1) report(`text ${encodeURIComponent(event.key)}`);
  else return;
  event.preventDefault();
});
screen.addEventListener('keyup', (event) => {
  if (event.key === ' ') report('key Space up');
  else if (keys.has(event.key)) report(`key ${event.key} up`);
});
window.addEventListener('paste', (event) => {
  report(`text ${encodeURIComponent(event.clipboardData.getData('text/plain'))}`);
});

document.getElementById('back').addEventListener('click', () => {
  report('key Escape down');
  report('key Escape up');
});

follow();
