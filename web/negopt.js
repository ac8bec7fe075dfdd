// negopt in ComfyUI's page. Everything it shows or does starts here; the parts are in ui/, plain logic in lib/.
import { api, app, loadTexts, say } from "./host.js";
import { openAudit, openTune } from "./ui/learn_panel.js";
import { loadGuidance } from "./ui/guidance.js";
import { keepTexts } from "./ui/writers.js";
import { keepRecord, lockOrphans } from "./ui/origin.js";
import { addReview, showCachedTexts } from "./ui/review.js";
import { keepOffered, loadPolicies, SETTINGS, startWithSettings } from "./ui/settings.js";
import { showLess } from "./ui/less.js";
import { addLinkedLines } from "./ui/linked.js";
import { tab } from "./ui/sidebar.js";
import { addStyle } from "./ui/style.js";
import { orderTemplates } from "./ui/templates.js";
import { addTimeline, keepPercents } from "./ui/timeline.js";
import { addModifiers, hasPrompt, nodesNow, onSelected, selectedPrompt, writeNegative } from "./ui/one_click.js";
import { writeScheduled } from "./ui/wiring.js";

let policiesKnown = null;

/** What the menu of a node that holds a prompt offers. */
function menuOf(node) {
  if (!hasPrompt(node)) return [];
  return [
    { content: say("menu-negative"), callback: () => writeNegative(node) },
    { content: say("menu-modifiers"), callback: () => addModifiers(node) },
    { content: say("menu-schedule"), callback: () => writeScheduled(node) },
    { content: say("menu-audit"), callback: () => openAudit(node) },
    { content: say("menu-tune"), callback: () => openTune(node) },
  ];
}

const offerAll = () => nodesNow().forEach(keepOffered);

/** Pages before `getNodeMenuItems` (ComfyUI 0.3.64 has one) ask the node itself. */
function addMenu(node) {
  if (app.collectNodeMenuItems) return;
  const before = node.getExtraMenuOptions;
  node.getExtraMenuOptions = function (canvas, options) {
    const told = before?.apply(this, arguments);
    options?.push?.(...menuOf(this));
    return told;
  };
}

app.registerExtension({
  name: "negopt",

  commands: [
    { id: "negopt.writeNegative", label: "negopt: write the negative", icon: "pi pi-pencil", function: onSelected(writeNegative) },
    { id: "negopt.addModifiers", label: "negopt: add modifiers", icon: "pi pi-sparkles", function: onSelected(addModifiers) },
    { id: "negopt.writeScheduled", label: "negopt: write both, scheduled", icon: "pi pi-clock", function: onSelected(writeScheduled) },
    { id: "negopt.audit", label: "negopt: audit this negative", icon: "pi pi-chart-bar", function: () => openAudit(selectedPrompt()) },
    { id: "negopt.tune", label: "negopt: tune on this checkpoint", icon: "pi pi-sliders-h", function: () => openTune(selectedPrompt()) },
  ],
  keybindings: [
    { combo: { key: "n", alt: true, shift: true }, commandId: "negopt.writeNegative" },
    { combo: { key: "j", alt: true, shift: true }, commandId: "negopt.addModifiers" },
  ],

  settings: SETTINGS,

  async setup() {
    addStyle();
    orderTemplates();
    await loadTexts();
    app.extensionManager?.registerSidebarTab?.(tab());
    api.addEventListener("negopt.run", keepPercents);
    api.addEventListener("execution_success", showCachedTexts);
    policiesKnown = loadPolicies(); // not waited for: the page need not
    loadGuidance();
  },

  async afterConfigureGraph() {
    offerAll(); // before the page draws the nodes: a value that its menu lacks gets a red border
    await policiesKnown;
    lockOrphans();
  },

  refreshComboInNodes: offerAll, // R has filled the menus anew

  getNodeMenuItems: menuOf,

  getSelectionToolboxCommands(item) {
    return item?.widgets && hasPrompt(item) ? ["negopt.writeNegative", "negopt.addModifiers", "negopt.writeScheduled"] : [];
  },

  nodeCreated(node) {
    startWithSettings(node);
    addMenu(node);
    keepTexts(node, keepRecord);
    addReview(node);
    addLinkedLines(node);
    addTimeline(node);
    showLess(node);
  },
});
