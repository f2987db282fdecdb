"use strict";
// The catalogue's one script: languages, and on the front page the search. It
// asks no network; the data are scripts beside it, which call list and words.
const vignette = (() => {
  const stop = new Set(("a again an and at be by for has in is it most of on once only or so that the then to was what when will with").split(" "));
  const rows = [];
  const field = { title: [0, 1], when: [2, 4], then: [3, 5], author: 6, page: 7, picture: 8, topics: 9, runs: 10, passed: 11, scenarios: 12, remixes: 13, cars: 14, signed: 15, needs: 16 };
  let words = [], postings = [], needs = {};
  let lang = 0;
  const say = (en, zh) => (lang === 0 ? en : zh);

  // remember keeps a choice for the next page, where the browser allows it.
  const remember = (key, value) => {
    try {
      if (value !== undefined) localStorage.setItem("vignette-" + key, value);
      return localStorage.getItem("vignette-" + key);
    } catch {
      return null;
    }
  };

  function speak(tag) {
    lang = tag === "zh" ? 1 : 0;
    const root = document.documentElement;
    root.lang = root.dataset.lang = tag;
    for (const b of document.querySelectorAll("[data-to]")) b.setAttribute("aria-pressed", String(b.dataset.to === tag));
    for (const o of document.querySelectorAll("[data-en]")) o.textContent = say(o.dataset.en, o.dataset.zh);
  }

  // dense tells characters of scripts without spaces, as words.go does.
  const dense = (c) => (c >= 0x3041 && c <= 0x30ff && c !== 0x30fb) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
  const letter = /[\p{L}\p{Nd}]/u;

  // terms reads a query: words and single dense characters by their beginning,
  // runs of dense characters by each two neighbours.
  function terms(query) {
    const list = [];
    let word = "", run = [];
    const flush = () => {
      word = word.toLowerCase();
      if (word && !stop.has(word)) list.push({ text: word, prefix: true });
      if (run.length === 1) list.push({ text: run[0], prefix: true });
      for (let i = 1; i < run.length; i++) list.push({ text: run[i - 1] + run[i], prefix: false });
      word = "";
      run = [];
    };
    for (const ch of query) {
      if (dense(ch.codePointAt(0))) {
        if (word) flush();
        run.push(ch);
      } else if (letter.test(ch)) {
        if (run.length) flush();
        word += ch;
      } else {
        flush();
      }
    }
    flush();
    return list;
  }

  const value = new Uint8Array(128);
  [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].forEach((c, i) => (value[c.charCodeAt(0)] = i));

  // gather writes the weights of a word's documents.
  function gather(text, weights) {
    let doc = 0;
    for (let i = 0; i < text.length; ) {
      let n = 0, shift = 0, v;
      do {
        v = value[text.charCodeAt(i++)];
        n |= (v & 31) << shift;
        shift += 5;
      } while (v & 32);
      doc += n >> 2;
      if ((n & 3) > weights[doc]) weights[doc] = n & 3;
    }
  }

  // first is the index of the first word not below a text.
  function first(text) {
    let low = 0, high = words.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (words[mid] < text) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  const worth = [0, 1, 3, 8]; // of a posting's weight

  // search lists the rows that have all terms of a query, the best first; without
  // terms all, in the catalogue's order.
  function search(query) {
    const list = terms(query), n = rows.length;
    const score = new Float64Array(n), found = new Uint8Array(n), weights = new Uint8Array(n);
    list.forEach((t, at) => {
      weights.fill(0);
      for (let i = first(t.text); i < words.length && (t.prefix ? words[i].startsWith(t.text) : words[i] === t.text); i++) gather(postings[i], weights);
      let having = 0;
      for (let d = 0; d < n; d++) if (weights[d]) having++;
      const rare = Math.log(1 + n / (1 + having));
      for (let d = 0; d < n; d++) {
        if (weights[d] && found[d] === at) {
          found[d]++;
          score[d] += worth[weights[d]] * rare;
        }
      }
    });
    const hits = [];
    for (let d = 0; d < n; d++) if (found[d] === list.length) hits.push(d);
    return list.length ? hits.sort((a, b) => score[b] - score[a] || a - b) : hits;
  }

  const page = 24;
  let shown = [], others = 0, upTo = page, withOthers = false;

  function make(tag, name, text) {
    const e = document.createElement(tag);
    if (name) e.className = name;
    if (text !== undefined) e.textContent = text;
    return e;
  }

  const car = () => {
    const select = document.getElementById("car");
    return select && select.value !== "" ? { bit: 1 << Number(select.value), name: select.selectedOptions[0].textContent } : null;
  };

  // choose applies the query and the filters.
  function choose() {
    const my = car();
    let topics = 0;
    for (const box of document.querySelectorAll("input[name=topic]:checked")) topics |= 1 << Number(box.value);
    const hits = search(document.getElementById("query").value).filter((d) => !topics || rows[d][field.topics] & topics);
    const fit = my ? hits.filter((d) => rows[d][field.runs] & my.bit) : hits;
    others = hits.length - fit.length;
    shown = withOthers && my ? fit.concat(hits.filter((d) => !(rows[d][field.runs] & my.bit))) : fit;
    upTo = page;
    show(my, fit.length);
  }

  function show(my, fits) {
    const count = document.getElementById("count");
    count.textContent = my ? say(`${fits} ${fits === 1 ? "card runs" : "cards run"} on ${my.name}`, `${fits} 张卡片可在 ${my.name} 上运行`) : say(`${fits} ${fits === 1 ? "card" : "cards"}`, `${fits} 张卡片`);
    if (my && others) {
      count.append(say(". ", "。"));
      const more = make("button", "", withOthers ? say("Hide those that do not", "隐藏不能运行的") : say(`Show ${others} that ${others === 1 ? "does" : "do"} not`, `显示不能运行的 ${others} 张`));
      more.type = "button";
      more.addEventListener("click", () => {
        withOthers = !withOthers;
        choose();
        count.querySelector("button")?.focus();
      });
      count.append(more);
    }
    fill(my, 0);
  }

  // fill draws tiles from one on.
  function fill(my, from) {
    const list = document.getElementById("list"), part = document.createDocumentFragment();
    for (const d of shown.slice(from, upTo)) part.append(tile(rows[d], my));
    if (from) list.append(part);
    else list.replaceChildren(part);
    document.getElementById("more").hidden = shown.length <= upTo;
  }

  const raise = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  function tile(row, my) {
    const box = make("article", "tile"), img = make("img"), inner = make("div"), head = make("h2"), link = make("a"), chips = make("ul", "chips");
    img.alt = "";
    img.loading = "lazy";
    img.width = 320;
    img.height = 160;
    img.src = row[field.picture];
    link.href = row[field.page];
    link.append(make("bdi", "", row[field.title[lang]]));
    head.append(link);
    const chip = (text, name) => chips.append(make("li", "chip" + (name || ""), text));
    if (my && !(row[field.runs] & my.bit)) chip(say(`not on ${my.name} as it is`, `不能直接用于 ${my.name}`));
    if (my && row[field.scenarios] && row[field.passed] & my.bit) chip(say("passed its scenarios", "情景已通过"), " good");
    if (row[field.cars]) chip(say(`${row[field.cars]} cars or more`, `${row[field.cars]} 辆以上`), " good");
    if (row[field.remixes]) chip(say(`remixed ${row[field.remixes]} ×`, `被改编 ${row[field.remixes]} 次`));
    for (const t of document.querySelectorAll("input[name=topic]")) {
      if (row[field.topics] & (1 << Number(t.value))) chip(t.parentElement.querySelector(`[lang=${lang ? "zh" : "en"}]`).textContent);
    }
    for (const claim of row[field.needs]) chip(say("needs ", "需要") + say(needs[claim].en, needs[claim].zh), " need");
    if (!row[field.signed]) chip(say("not signed", "未签名"));
    inner.append(head, make("p", "", raise(row[field.when[lang]])), make("p", "", "→ " + row[field.then[lang]]), make("p", "by", say("by ", "作者 ") + row[field.author]), chips);
    box.append(img, inner);
    return box;
  }

  function start() {
    for (const b of document.querySelectorAll("[data-to]")) {
      b.addEventListener("click", () => {
        speak(remember("lang", b.dataset.to) || b.dataset.to);
        if (document.getElementById("query")) choose();
      });
    }
    speak(document.documentElement.dataset.lang);
    const query = document.getElementById("query");
    if (!query) return;
    const select = document.getElementById("car"), kept = remember("car");
    if (select && [...select.options].some((o) => o.value === kept)) select.value = kept;
    select?.addEventListener("change", () => {
      remember("car", select.value);
      choose();
    });
    query.value = decodeURIComponent(location.hash.slice(1));
    query.addEventListener("input", choose);
    query.form.addEventListener("submit", (e) => e.preventDefault());
    for (const box of document.querySelectorAll("input[name=topic]")) box.addEventListener("change", choose);
    document.getElementById("more").addEventListener("click", () => {
      const from = upTo;
      upTo += page;
      fill(car(), from);
      document.querySelectorAll(".tile a")[from]?.focus();
    });
    query.form.hidden = false;
    choose();
  }

  const wanted = remember("lang") || (navigator.language || "en").slice(0, 2);
  document.documentElement.lang = document.documentElement.dataset.lang = wanted === "zh" ? "zh" : "en";
  document.addEventListener("DOMContentLoaded", start);

  return {
    needs: (all) => void (needs = all),
    list: (more) => void rows.push(...more),
    words: (chunk) => {
      words = words.concat(chunk.words.split(" "));
      postings = postings.concat(chunk.postings.split(","));
    },
    search,
  };
})();
