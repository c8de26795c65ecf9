// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps the page with the run: asks for the state, follows the lines, and draws one film.

const SLOW = 500;  // ms between drawings where motion is to be reduced
const RETRY = 1000;

const VERDICTS = {waiting: "", measuring: "live", pass: "good", findings: "note", incomplete: "bad"};

const model = new Model();
const lights = new Lights(find("lights")), engine = new Engine(find("engine"));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const FOLLOW = "";  // the choice of the film that is being measured
let source = null, run = null, panels = new Map(), followed = null, shownFilm = null, hover = null, drawn = -Infinity, isDue = false;

function say(id, text, kind) {
  const pill = find(id);
  setText(pill, text);
  pill.className = `pill ${kind}`;
}

function notice(text) {
  find("notice").hidden = !text;
  show("notice", text ?? "");
}

// The film that is chosen. Without a choice one is shown to its end, and then the next one.
function getFilm() {
  const films = [...model.films.values()], choice = find("file").value;
  const before = model.films.get(followed);
  if (!before || before.summary)
    followed = (films.find(film => film.verdict === "measuring") ?? before ?? films[0])?.name;
  return model.films.get(choice === FOLLOW ? followed : choice);
}

function listFilms() {
  const select = find("file"), films = [...model.films.values()], isChoice = films.length > 1;
  if (isChoice && select.length === 0)
    select.add(new Option("the film that is measured", FOLLOW));
  films.slice(select.length - isChoice).forEach(film => select.add(new Option(film.name, film.name)));
  films.forEach((film, i) => {
    const text = isChoice ? `${film.name} (${film.verdict})` : film.name, option = select.options[i + isChoice];
    if (option.text !== text)
      option.text = text;
  });
}

// Panels of another film, and those of streams that are new.
function arrange(film) {
  if (film.name !== shownFilm) {
    shownFilm = film.name;
    panels.clear();
    for (const part of [find("plots"), lights.list, engine.list])
      part.replaceChildren();
    lights.rows.clear();
    engine.rows.clear();
  }
  for (const stream of film.streams.values()) {
    if (panels.has(stream.name))
      continue;
    panels.set(stream.name, makePanels(stream, share => { hover = share; draw(); }));
    find("plots").append(...panels.get(stream.name).map(panel => panel.element));
  }
}

function paint(time) {
  isDue = false;
  if (calm.matches && time - drawn < SLOW) {
    setTimeout(draw, SLOW);
    return;
  }
  drawn = time;
  listFilms();
  const film = getFilm();
  if (!film)
    return;
  arrange(film);
  show("film", film.name);
  say("verdict", film.verdict, VERDICTS[film.verdict]);
  document.title = `${film.summary ? film.verdict : `${Math.floor(100 * (film.share ?? 0))} %`} – ${film.name}`;
  drawFacts(film);
  drawProblems(film);
  lights.draw(film);
  engine.draw(film);
  drawEvents(film);
  for (const [name, ofStream] of panels)
    ofStream.forEach(panel => panel.draw(film, film.streams.get(name), hover));
}

// Has the page drawn with the next picture of the screen, once.
function draw() {
  if (!isDue)
    requestAnimationFrame(paint);
  isDue = true;
}

function finish() {
  source?.close();
  source = null;
  say("connection", "the run is over", "");
  draw();
}

// Each line has an id, RUN-NUMBER. Another run at the same port has another state.
function takeLine(event) {
  if (event.lastEventId.split("-")[0] !== run || !model.take(JSON.parse(event.data))) {
    source.close();
    start();
  } else if (model.verdict) {
    finish();
  }
  draw();
}

function follow(after) {
  source = new EventSource(`events?after=${encodeURIComponent(after)}`);
  source.onopen = () => {
    notice(null);
    say("connection", "live", "live");
  };
  source.onmessage = takeLine;
  source.onerror = () => {
    say("connection", "not connected", "bad");
    notice("The connection is lost; vyre-qc may have ended. The page tries again.");
    if (source.readyState === EventSource.CLOSED)
      setTimeout(start, RETRY);
  };
}

async function start() {
  try {
    const response = await fetch("results.json", {cache: "no-store"});
    if (!response.ok)
      throw new Error((await response.text()).trim());
    const state = await response.json();
    model.restore(state);
    run = state["last-id"].split("-")[0];
    notice(null);
    if (model.verdict)
      finish();
    else
      follow(state["last-id"]);
  } catch (error) {
    say("connection", "not connected", "bad");
    notice(error instanceof TypeError ? "vyre-qc does not answer. The page tries again." : error.message);
    setTimeout(start, RETRY);
  }
  draw();
}

readColours();
for (const query of ["(prefers-color-scheme: light)", "(prefers-contrast: more)"])
  matchMedia(query).addEventListener("change", () => { readColours(); draw(); });
find("file").addEventListener("change", draw);
new ResizeObserver(draw).observe(document.body);
start();
