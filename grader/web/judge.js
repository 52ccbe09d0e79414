/* Owns: having answers judged by the server, which keeps them too. Must not: show anything. */
import { ask, onBack } from './api.js';

/** The judge of a lesson's questions. */
export const judge = (lesson) => ({
  /** What was answered before, judged, by the ids of questions. */
  kept: async () => (await ask(`lessons/${lesson}/quiz`)).answers,
  /** Judges an answer, as one types it, and keeps it. */
  give: (id, answer) => ask(`lessons/${lesson}/quiz/${id}`, { method: 'POST', body: { answer } }),
  /** Calls back when what is kept may be another. */
  onNews: onBack,
});
