import { chromium } from 'playwright-core';
import * as chromeHar from 'chrome-har';
import fs from 'fs';
const base = 'http://127.0.0.1:8473';
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'], headless: true });
const context = await browser.newContext({ recordHar: { path: 'playwright.har', content: 'embed' } });
const page = await context.newPage();
const cdp = await context.newCDPSession(page);
const events = []; const bodies = {};
for (const m of ['Page.loadEventFired','Page.domContentEventFired','Page.frameStartedLoading','Page.frameAttached','Page.frameNavigated','Network.requestWillBeSent','Network.requestWillBeSentExtraInfo','Network.requestServedFromCache','Network.dataReceived','Network.responseReceived','Network.responseReceivedExtraInfo','Network.resourceChangedPriority','Network.loadingFinished','Network.loadingFailed'])
  cdp.on(m, params => { events.push({ method: m, params });
    if (m === 'Network.loadingFinished') bodies[params.requestId] = cdp.send('Network.getResponseBody', { requestId: params.requestId }).catch(() => null); });
await cdp.send('Page.enable'); await cdp.send('Network.enable');
await page.goto(base + '/');
await page.evaluate(async () => {
  const studio = 'ri.models.main.model-studio.a1b2c3d4-e5f6-7890-abcd-ef1234567890';
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const get = async (url, headers, init) => { for (let i = 0; i < 4; i++) { const r = await fetch(url, { headers, ...init }); if (r.status < 400) return r.json(); await r.text(); await wait(20); } };
  await fetch('http://localhost:8474/app.css', { mode: 'no-cors' }).catch(() => null);
  const alibaba = { Authorization: 'ACS3-HMAC-SHA256 Credential=LTAI5tLocalruns00000001,SignedHeaders=host,Signature=00', 'x-acs-version': '2021-02-04' };
  for (const verbose of ['', '&Verbose=true']) { let token = 0; do { const body = await get(`/api/v1/runs?MaxResults=5&PageToken=${token}${verbose}`, alibaba); token = body.NextPageToken; } while (token); }
  await fetch('/api/v1/runs/run-1', { headers: alibaba });
  const oracle = { Authorization: 'Bearer localruns-token', 'Content-Type': 'application/json' };
  let token; do { const body = await get('/20260430/aiDataPlatforms/ocid1.aidataplatform.oc1.iad.localruns/workspaces/default/mlops/api/2.0/mlflow/runs/search', oracle,
     { method: 'POST', body: JSON.stringify({ experiment_ids: ['1', '2'], max_results: 5, ...(token ? { page_token: token } : {}) }) }); token = body.next_page_token; } while (token);
  const naver = { 'x-ncp-iam-access-key': 'LOCALRUNSACCESSKEY01', 'x-ncp-apigw-timestamp': '1', 'x-ncp-apigw-api-key': 'LOCALRUNSAPIKEY0001', 'x-ncp-apigw-signature-v2': 'AAAA' };
  for (let n = 1, total = 1; (n - 1) * 5 < total; n++) total = (await get(`/nsml/v1/projects/runs?page=${n}&pageSize=5`, naver)).totalCount;
  token = undefined; do { const body = await get(`/api/v2/models/modelStudios/${studio}/runs?preview=true&pageSize=5${token ? '&pageToken=' + encodeURIComponent(token) : ''}`, { Authorization: 'Bearer localruns-token' }); token = body.nextPageToken; } while (token);
});
await context.close();
for (const event of events) if (event.method === 'Network.responseReceived') { const got = await bodies[event.params.requestId]; if (got) { event.params.response.body = got.body; event.params.response.encoding = got.base64Encoded ? 'base64' : undefined; } }
fs.writeFileSync('devtools.har', JSON.stringify(chromeHar.harFromMessages(events, { includeTextFromResponseBody: true }), null, 1));
await browser.close();
