const readers: Record<string, string[]> = { handbook: ['*'], payroll: ['ada', 'grace'] };

export async function mayRead(user: string, documentId: string): Promise<boolean> {
  const allowed = readers[documentId] ?? [];
  await new Promise((resolve) => setTimeout(resolve, 20)); // the policy server's answer
  return allowed.includes('*') || allowed.includes(user);
}
